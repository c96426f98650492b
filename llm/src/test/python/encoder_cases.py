"""Writes what sentence-transformers gives for the tiny encoders when single files of them differ.

    python encoder_cases.py  (needs sentence-transformers)
"""

import json
import shutil
import tempfile
from pathlib import Path

from sentence_transformers import SentenceTransformer

ENCODERS = Path(__file__).resolve().parent.parent / "resources" / "encoder"
WORDS = ["The DOG", "a caf\u00e9", "a \u4e2d cat", "a\u4e2dcat", "a cat"]
LONG = ["how much is a pen and how much are ten pens ? " * 5 + "the cat sat", "a dog", ""]
PADDED = ["a cat <pad> dog sat", "<pad> a cat", "a cat <pad>", "<pad> <pad>", "a cat <pad> dog " * 12, "a cat"]


def setting(**values):
    return {"tokenizer_config.json": values}


# name, encoder, changes of its files (null: without it), texts
CASES = [
    ("BERT keeps capitals", "mean", setting(tokenizer_class="BertTokenizer", do_lower_case=False), WORDS),
    ("BERT keeps accents", "mean", setting(tokenizer_class="BertTokenizerFast", strip_accents=False), WORDS),
    ("BERT strips accents of capitals", "mean", setting(tokenizer_class="BertTokenizer", do_lower_case=False, strip_accents=True), WORDS),
    ("BERT keeps Chinese characters together", "mean", setting(tokenizer_class="BertTokenizer", tokenize_chinese_chars=False), WORDS),
    ("BERT lower-cases unless told", "mean", {**setting(tokenizer_class="BertTokenizer"), "tokenizer.json": {"normalizer": {"lowercase": False}}}, WORDS),
    ("BERT by the model's type", "mean", setting(tokenizer_class=None, do_lower_case=False), WORDS),
    ("BERT by config.json", "mean", {**setting(tokenizer_class=None, do_lower_case=False), "config.json": {"tokenizer_class": "BertTokenizer"}}, WORDS),
    ("DistilBERT keeps capitals", "distilbert", setting(tokenizer_class="DistilBertTokenizer", do_lower_case=False), WORDS),
    ("MPNet's tokenizer keeps capitals", "mean", setting(tokenizer_class="MPNetTokenizer", do_lower_case=False), WORDS),
    ("another class has no such settings", "mean", setting(do_lower_case=False, strip_accents=False), WORDS),
    ("cut on the left", "mean", setting(truncation_side="left"), LONG),
    ("cut on the left, pieces", "xlm-roberta", setting(truncation_side="left"), LONG),
    ("cut on the left by tokenizer.json", "mean", {"tokenizer.json": {"truncation": {"direction": "Left", "max_length": 40, "strategy": "LongestFirst", "stride": 0}}}, LONG),
    ("cut on the right over tokenizer.json", "mean", {**setting(truncation_side="right"), "tokenizer.json": {"truncation": {"direction": "Left", "max_length": 40, "strategy": "LongestFirst", "stride": 0}}}, LONG),
    ("cut without special tokens", "mean", {"tokenizer.json": {"post_processor": None}}, LONG[:2]),
    ("padding tokens in a text, XLM-R", "xlm-roberta", {}, PADDED),
    ("padding tokens in a text, MPNet", "mpnet", {}, PADDED),
    ("padding tokens in a text, BERT", "mean", {}, ["a cat [PAD] dog sat", "[PAD]"]),
    ("without modules.json", "mean", {"modules.json": None, "sentence_bert_config.json": {"max_seq_length": 7, "do_lower_case": True}, "config_sentence_transformers.json": {"prompts": {"query": "a cat "}, "default_prompt_name": "query"}, "tokenizer.json": {"normalizer": {"lowercase": False}}}, ["The DOG", *LONG]),
    ("with modules.json", "mean", {"sentence_bert_config.json": {"max_seq_length": 7, "do_lower_case": True}, "config_sentence_transformers.json": {"prompts": {"query": "a cat "}, "default_prompt_name": "query"}, "tokenizer.json": {"normalizer": {"lowercase": False}}}, ["The DOG", *LONG]),
]


def merge(old, new):
    for key, value in new.items():
        if isinstance(value, dict) and isinstance(old.get(key), dict):
            merge(old[key], value)
        else:
            old[key] = value


def vectors(encoder, changes, texts):
    with tempfile.TemporaryDirectory() as place:
        directory = Path(place) / encoder
        shutil.copytree(ENCODERS / encoder, directory)
        pooling = directory / "1_Pooling" / "config.json"  # The hand-made encoders do not tell what only sentence-transformers asks for.
        pooling.write_text(json.dumps({"embedding_dimension": 32, **json.loads(pooling.read_text())}))
        for name, change in changes.items():
            file = directory / name
            if change is None:
                file.unlink()
                continue
            content = json.loads(file.read_text())
            merge(content, change)
            file.write_text(json.dumps(content))
        found = SentenceTransformer(str(directory), device="cpu").encode(texts, batch_size=3)
    return [[round(float(x), 7) for x in vector] for vector in found]


cases = []
for name, encoder, changes, texts in CASES:
    cases.append({"name": name, "encoder": encoder, "changes": changes, "texts": texts, "vectors": vectors(encoder, changes, texts)})
(ENCODERS / "cases.json").write_text("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")
