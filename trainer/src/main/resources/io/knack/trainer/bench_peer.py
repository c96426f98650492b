"""transformers + PEFT on the work of `knack bench train`; prints tokens per second, peak resident bytes and the mean loss.

    python bench_peer.py MODEL DTYPE WORK.json

Adapters are trained one after another; each batch is padded to its longest sequence, as the default collator does.
"""

import json
import resource
import sys
import time

import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoModelForCausalLM

path, dtype, file = sys.argv[1:4]
with open(file) as lines:
    work = json.load(lines)
batch, warmup = work["batch"], work["warmup"]
base = AutoModelForCausalLM.from_pretrained(path, dtype=getattr(torch, dtype))
config = LoraConfig(r=16, lora_alpha=32, lora_dropout=0.0, target_modules="all-linear", task_type="CAUSAL_LM")
seconds, tokens, losses = 0.0, 0, []
for rows in work["adapters"]:
    model = get_peft_model(base, config)
    model.train()
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trained, lr=1e-4, weight_decay=0.0, fused=True)
    for step in range((len(rows) + batch - 1) // batch):
        start = time.perf_counter()
        part = rows[step * batch : (step + 1) * batch]
        longest = max(map(len, part))
        ids = torch.tensor([row + [0] * (longest - len(row)) for row in part])
        mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in part])
        loss = model(input_ids=ids, attention_mask=mask, labels=ids.masked_fill(mask == 0, -100)).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        if step >= warmup:
            seconds += time.perf_counter() - start
            tokens += sum(map(len, part))
            losses.append(float(loss))
    base = model.unload()
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
print(json.dumps({"tokens_per_second": tokens / seconds, "max_rss_bytes": peak, "loss": sum(losses) / len(losses)}))
