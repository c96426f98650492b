"""Greedy continuations by transformers under a repetition penalty, kept in resources/repetition.json.

    python make_repetition.py

Of the checkpoints in resources/parity, for the prompts of their expected.json. Continuations of which a
token is a coin toss are left out.
"""

import json
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM

RESOURCES = Path(__file__).parents[1] / "resources"
PENALTY = 1.3
MARGIN = 2e-3


def continuation(model, prompt):
    ids = torch.tensor([prompt])
    out = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=64, do_sample=False,
                         repetition_penalty=PENALTY, output_scores=True, return_dict_in_generate=True)
    margin = min((best[0] - best[1]).item() for best in (score[0].topk(2).values for score in out.scores))
    return [t for t in out.sequences[0, len(prompt):].tolist() if t != 256], margin


def main():
    kept = {}
    for name in ("llama3", "mistral", "qwen2", "qwen3"):
        model = AutoModelForCausalLM.from_pretrained(RESOURCES / "parity" / name, dtype=torch.float32).eval()
        prompts = [case["prompt_ids"] for case in json.loads((RESOURCES / "parity" / name / "expected.json").read_text())["base"]]
        kept[name] = []
        for prompt in prompts:
            ids, margin = continuation(model, prompt)
            if margin > MARGIN:
                kept[name].append({"prompt_ids": prompt, "ids": ids})
    (RESOURCES / "repetition.json").write_text(json.dumps({"penalty": PENALTY, "checkpoints": kept}) + "\n")


if __name__ == "__main__":
    main()
