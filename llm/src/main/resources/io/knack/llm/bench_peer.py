"""transformers' generate on the work of `knack bench llm`.

    python bench_peer.py MODEL DTYPE THREADS

Reads one line of JSON a round, {"prompts": [[id, ...], ...], "new_tokens": N}, and answers each with a line
that holds the tokens per second of the whole generation. THREADS 0 leaves torch's own choice.
"""

import json
import sys
import time

import torch
from transformers import AutoModelForCausalLM

path, dtype, threads = sys.argv[1], sys.argv[2], int(sys.argv[3])
if threads:
    torch.set_num_threads(threads)
model = AutoModelForCausalLM.from_pretrained(path, dtype=getattr(torch, dtype)).eval()
for line in sys.stdin:
    work = json.loads(line)
    ids, new = torch.tensor(work["prompts"]), work["new_tokens"]
    start = time.perf_counter()
    with torch.inference_mode():
        out = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=new, min_new_tokens=new,
                             do_sample=True, temperature=1.0, top_k=0)
    seconds = time.perf_counter() - start
    print((out.shape[1] - ids.shape[1]) * len(ids) / seconds, flush=True)
