"""Writes tiny random BERT encoders and the vectors that sentence-transformers gives for them.

python3 tiny_encoders.py  (needs sentence-transformers)
"""

import json
from pathlib import Path

import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.models import Normalize, Pooling, Transformer
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

OUT = Path(__file__).resolve().parent.parent / "resources" / "encoder"
TEXTS = ["a cat sat on the mat", "The dog!", "", "how much is a pen, and how much are ten pens?", "caf\u00e9 \U0001f600 unknown", "word " * 60, "a"]
WORDS = "a cat sat on the mat dog how much is pen and are ten ##s ##d word cafe un ##know ##n ! ? , .".split()


def tokenizer():
    vocabulary = {t: i for i, t in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS])}
    tok = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tok.normalizer = normalizers.BertNormalizer(lowercase=True)
    tok.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tok.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    return PreTrainedTokenizerFast(tokenizer_object=tok, unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]", pad_token="[PAD]", mask_token="[MASK]", model_max_length=40)


def make(name, pooling, normalized, seed):
    torch.manual_seed(seed)
    tok = tokenizer()
    config = BertConfig(vocab_size=len(tok), hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=48, max_position_embeddings=40, type_vocab_size=2)
    model = BertModel(config, add_pooling_layer=False)
    for parameter in model.parameters():  # Default initialisation is nearly flat: wrong code would pass.
        parameter.data.add_(torch.randn_like(parameter) * 0.3)
    base = OUT / name / "base"
    model.save_pretrained(base)
    tok.save_pretrained(base)
    modules = [Transformer(str(base), max_seq_length=40)]
    modules.append(Pooling(32, pooling_mode=pooling))
    if normalized:
        modules.append(Normalize())
    sentences = SentenceTransformer(modules=modules, device="cpu")
    vectors = sentences.encode(TEXTS, batch_size=3)
    sentences.save(str(OUT / name))
    for file in sorted(base.iterdir()):
        file.unlink()
    base.rmdir()
    (OUT / name / "README.md").unlink(missing_ok=True)
    (OUT / name / "expected.json").write_text(json.dumps({"texts": TEXTS, "vectors": [[round(float(x), 8) for x in v] for v in vectors]}, indent=1) + "\n")


make("mean", "mean", False, 1)
make("cls", "cls", True, 2)
