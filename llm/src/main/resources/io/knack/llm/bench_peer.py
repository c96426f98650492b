"""transformers' generate on the work of `knack bench llm`; prints tokens per second.

    python bench_peer.py MODEL DTYPE BATCH PROMPT_TOKENS NEW_TOKENS THREADS
"""

import sys
import time

import torch
from transformers import AutoModelForCausalLM

path, dtype = sys.argv[1:3]
batch, prompt, new, threads = map(int, sys.argv[3:7])
if threads:
    torch.set_num_threads(threads)
model = AutoModelForCausalLM.from_pretrained(path, dtype=getattr(torch, dtype)).eval()
ids = torch.randint(0, model.config.vocab_size, (batch, prompt), generator=torch.Generator().manual_seed(1))
best = 0.0
for _ in range(3):
    start = time.perf_counter()
    with torch.inference_mode():
        model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=new, min_new_tokens=new,
                       do_sample=True, temperature=1.0, top_k=0)
    best = max(best, batch * new / (time.perf_counter() - start))
print(best)
