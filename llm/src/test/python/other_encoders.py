"""Writes tiny random encoders of BERT's kin and the vectors that transformers gives for them, pooled
as sentence-transformers pools.

    python other_encoders.py OUT_DIRECTORY
"""

import json
import shutil
import sys
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
from transformers import (
    DistilBertConfig,
    DistilBertModel,
    MPNetConfig,
    MPNetModel,
    PreTrainedTokenizerFast,
    XLMRobertaConfig,
    XLMRobertaModel,
)

TEXTS = ["a cat sat on the mat", "The dog!", "", "how much is a pen, and how much are ten pens?", "word " * 60, " a "]
WORDS = "a cat sat on the mat dog how much is pen and are ten word ! ? , .".split()
LONGEST = 30


def word_pieces():
    vocabulary = {t: i for i, t in enumerate(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS, "##s"])}
    tok = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tok.normalizer = normalizers.BertNormalizer(lowercase=True)
    tok.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tok.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    return PreTrainedTokenizerFast(tokenizer_object=tok, unk_token="[UNK]", cls_token="[CLS]",
                                   sep_token="[SEP]", pad_token="[PAD]", model_max_length=38)


def sentence_pieces():
    pieces = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
    pieces += [("\u2581" + word, -2 - 0.1 * i) for i, word in enumerate(WORDS)]
    pieces += [(c, -5.0) for c in "\u2581abcdefghijklmnopqrstuvwxyz!?,."]
    tok = Tokenizer(models.Unigram(pieces, unk_id=3))
    tok.pre_tokenizer = pre_tokenizers.Metaspace()
    tok.decoder = decoders.Metaspace()
    tok.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)])
    return PreTrainedTokenizerFast(tokenizer_object=tok, unk_token="<unk>", cls_token="<s>",
                                   sep_token="</s>", pad_token="<pad>", model_max_length=38)


def write(directory, tok, model, pooling, normalized):
    shutil.rmtree(directory, ignore_errors=True)
    for parameter in model.parameters():  # Default initialisation is nearly flat: wrong code would pass.
        parameter.data.add_(torch.randn_like(parameter) * 0.3)
    model.eval()
    model.save_pretrained(directory)
    tok.save_pretrained(directory)
    steps = [("", "Transformer"), ("1_Pooling", "Pooling")] + ([("2_Normalize", "Normalize")] if normalized else [])
    modules = [{"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"}
               for i, (path, kind) in enumerate(steps)]
    (directory / "modules.json").write_text(json.dumps(modules, indent=1) + "\n")
    (directory / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": LONGEST, "do_lower_case": False}) + "\n")
    (directory / "1_Pooling").mkdir()
    flags = {"pooling_mode_cls_token": pooling == "cls", "pooling_mode_mean_tokens": pooling == "mean"}
    (directory / "1_Pooling" / "config.json").write_text(json.dumps(flags) + "\n")
    vectors = []
    for text in TEXTS:
        inputs = tok(text.strip(), return_tensors="pt", truncation=True, max_length=LONGEST)
        inputs.pop("token_type_ids", None)
        with torch.no_grad():
            hidden = model(**inputs).last_hidden_state[0]
        vector = hidden[0] if pooling == "cls" else hidden.mean(0)
        vector = vector / vector.norm() if normalized else vector
        vectors.append([round(float(x), 8) for x in vector])
    (directory / "expected.json").write_text(json.dumps({"texts": TEXTS, "vectors": vectors}) + "\n")


def main(out):
    torch.manual_seed(7)
    words, pieces = word_pieces(), sentence_pieces()
    shape = dict(hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=40,
                 max_position_embeddings=40, vocab_size=len(pieces), pad_token_id=1)
    write(out / "xlm-roberta", pieces, XLMRobertaModel(XLMRobertaConfig(**shape, type_vocab_size=1), add_pooling_layer=False), "mean", True)
    write(out / "mpnet", pieces, MPNetModel(MPNetConfig(**shape), add_pooling_layer=False), "mean", True)
    small = DistilBertConfig(dim=32, n_layers=2, n_heads=4, hidden_dim=40, max_position_embeddings=40, vocab_size=len(words))
    write(out / "distilbert", words, DistilBertModel(small), "cls", False)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
