"""Writes src/test/resources/peft: twenty training steps of transformers + PEFT, to be repeated in Java.

Needs torch, transformers, peft, safetensors. Run: python3 trainer/src/test/python/peft_parity.py
"""

import json
import pathlib

import torch
from peft import LoraConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM, get_cosine_schedule_with_warmup

OUT = pathlib.Path(__file__).parent.parent / "resources" / "peft"
STEPS, BATCH, WARMUP, RATE = 20, 4, 3, 5e-3

torch.manual_seed(7)
torch.set_num_threads(1)
config = LlamaConfig(
    vocab_size=64, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
    intermediate_size=48, rms_norm_eps=1e-5, max_position_embeddings=64, tie_word_embeddings=False,
    eos_token_id=1,
)
base = LlamaForCausalLM(config).float()
for parameter in base.parameters():
    parameter.data.add_(torch.randn_like(parameter) * 0.1)
base.save_pretrained(OUT / "base")
generator = torch.Generator().manual_seed(11)
rows = []
for _ in range(STEPS * BATCH):
    length = int(torch.randint(6, 24, (1,), generator=generator))
    ids = torch.randint(2, 64, (length,), generator=generator).tolist()
    start = int(torch.randint(1, length - 1, (1,), generator=generator))
    rows.append({"ids": ids, "start": start})
runs = {}
for name, extra in {
    "plain": {}, "rslora": {"use_rslora": True, "rank_pattern": {"q_proj": 2}, "alpha_pattern": {"down_proj": 4}},
}.items():
    torch.manual_seed(3)
    model = get_peft_model(
        LlamaForCausalLM.from_pretrained(OUT / "base").float(),
        LoraConfig(r=4, lora_alpha=8, lora_dropout=0.0, target_modules="all-linear", task_type="CAUSAL_LM", **extra),
    )
    model.peft_config["default"].base_model_name_or_path = "base"  # never a path of this machine
    model.save_pretrained(OUT / name / "initial")
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=RATE, weight_decay=0.01)
    schedule = get_cosine_schedule_with_warmup(optimizer, WARMUP, STEPS)
    losses, norms = [], []
    for step in range(STEPS):
        batch = rows[step * BATCH : (step + 1) * BATCH]
        longest = max(len(row["ids"]) for row in batch)
        ids = torch.tensor([row["ids"] + [0] * (longest - len(row["ids"])) for row in batch])
        mask = torch.tensor([[1] * len(row["ids"]) + [0] * (longest - len(row["ids"])) for row in batch])
        labels = ids.masked_fill(mask == 0, -100)
        for i, row in enumerate(batch):
            labels[i, : row["start"]] = -100
        loss = model(input_ids=ids, attention_mask=mask, labels=labels).loss
        loss.backward()
        norms.append(float(torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)))
        losses.append(float(loss))
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
    model.save_pretrained(OUT / name / "final")
    runs[name] = {"losses": losses, "norms": norms}
(OUT / "runs.json").write_text(json.dumps({"rows": rows, "runs": runs}) + "\n")
for path in OUT.rglob("README.md"):
    path.unlink()
