"""Loads src/test/resources/peft/java, an adapter that Java trained, in PEFT and writes what it says of the rows of
runs.json: the log-probability of each token after the first. Needs torch, transformers, peft.
Run: python3 trainer/src/test/python/peft_loads_adapter.py
"""

import json
import pathlib

import torch
from peft import PeftModel
from transformers import LlamaForCausalLM

HERE = pathlib.Path(__file__).parent.parent / "resources" / "peft"

torch.set_num_threads(1)
base = LlamaForCausalLM.from_pretrained(HERE / "base").float().eval()
model = PeftModel.from_pretrained(base, HERE / "java")
rows = json.loads((HERE / "runs.json").read_text())["rows"][:8]
said = []
with torch.inference_mode():
    for row in rows:
        ids = torch.tensor([row["ids"]])
        scores = torch.log_softmax(model(input_ids=ids).logits[0, :-1], -1)
        said.append([float(scores[i, ids[0, i + 1]]) for i in range(scores.shape[0])])
(HERE / "java" / "logprobs.json").write_text(json.dumps(said) + "\n")
