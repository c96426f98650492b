"""A byte-level BPE tokenizer of 1,024 tokens for SolutionsRun: solutions_tokenizer.py SOLUTIONS.jsonl DIRECTORY"""

import json
import pathlib
import sys

from tokenizers import ByteLevelBPETokenizer

source, directory = sys.argv[1:3]
texts = []
for line in open(source, encoding="utf-8"):
    row = json.loads(line)
    texts.append(row["question"])
    texts += [row[name]["solution"] for name in row if isinstance(row[name], dict) and row[name]["is_correct"]]
tokenizer = ByteLevelBPETokenizer()
tokenizer.train_from_iterator(texts, vocab_size=1024, special_tokens=["<end>"])
out = pathlib.Path(directory)
out.mkdir(parents=True, exist_ok=True)
tokenizer.save(str(out / "tokenizer.json"))
(out / "tokenizer_config.json").write_text('{"eos_token": "<end>"}\n')
