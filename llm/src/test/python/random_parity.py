"""Random checkpoints of the four decoder families with random adapters, answered by knack and by transformers.

    python random_parity.py KNACK [COUNT] [FIRST_SEED]

KNACK is the launcher. Each seed draws a family, shapes and options, two PEFT adapters and prompts; base and both
adapters are answered in one mixed batch of `knack generate` in float32. Prompt log-probabilities must agree within
1e-4, and 64 greedy tokens must be equal. Some draws magnify rounding: where transformers in float32 is further than
2e-5 from itself in float64, five times that distance is allowed, for at one token in thousands the two err apart.
Exit code 1 when a seed differs; its directory is then kept and named.
"""

import copy
import json
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
from make_fixtures import adapters, decided, scale, tokenizer
from peft import LoraConfig
from transformers import (
    LlamaConfig,
    LlamaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    Qwen2Config,
    Qwen2ForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
)

TOLERANCE = 1e-4
LINEAR = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]


def rope(draw):
    theta = draw.choice([500.0, 10000.0, 1e6])
    kind = draw.choice(["default", "linear", "llama3"])
    if kind == "linear":
        return {"rope_type": kind, "rope_theta": theta, "factor": draw.choice([2.0, 4.0])}
    if kind == "llama3":
        return {"rope_type": kind, "rope_theta": theta, "factor": draw.choice([4.0, 8.0]), "low_freq_factor": 1.0,
                "high_freq_factor": 4.0, "original_max_position_embeddings": draw.choice([32, 64])}
    return {"rope_type": kind, "rope_theta": theta}


def model_of(draw):
    keys = draw.choice([1, 2, 4])
    heads = keys * draw.choice([1, 2, 3])
    width = draw.choice([8, 16, 20])
    layers = draw.choice([1, 2, 3])
    shape = dict(
        vocab_size=draw.choice([257, 288, 300]), hidden_size=heads * width, num_attention_heads=heads,
        num_key_value_heads=keys, intermediate_size=draw.choice([40, 64, 96]), num_hidden_layers=layers,
        max_position_embeddings=512, rms_norm_eps=draw.choice([1e-5, 1e-6]), tie_word_embeddings=draw.random() < 0.5,
        bos_token_id=None, eos_token_id=256, pad_token_id=None,
    )
    family = draw.choice(["llama", "mistral", "qwen2", "qwen3"])
    if family == "llama":
        config = LlamaConfig(**shape, rope_parameters=rope(draw), attention_bias=draw.random() < 0.3,
                             mlp_bias=draw.random() < 0.3)
        return family, LlamaForCausalLM, config
    if family == "mistral":
        config = MistralConfig(**shape, sliding_window=draw.choice([None, 5, 12]), head_dim=draw.choice([None, 12]))
        return family, MistralForCausalLM, config
    windowed = dict(use_sliding_window=True, sliding_window=9, max_window_layers=draw.randint(0, layers))
    options = draw.choice([{}, windowed])
    if family == "qwen2":
        return family, Qwen2ForCausalLM, Qwen2Config(**shape, **options)
    return family, Qwen3ForCausalLM, Qwen3Config(**shape, **options, head_dim=draw.choice([8, 16]))


def adapter_of(draw):
    targets = draw.choice([
        "all-linear",
        draw.sample(LINEAR, draw.randint(1, 6)),
        r".*\.self_attn\.(q|o)_proj",
    ])
    return LoraConfig(
        r=draw.choice([1, 4, 7]), lora_alpha=draw.choice([4, 8, 16]), use_rslora=draw.random() < 0.5,
        target_modules=targets, task_type="CAUSAL_LM",
        rank_pattern=draw.choice([{}, {"q_proj": 3}]), alpha_pattern=draw.choice([{}, {"layers.0.self_attn.o_proj": 5}]),
    )


def ours(knack, directory, names, prompts):
    lines = [{"prompt_ids": prompt} | ({"adapter": name} if name else {}) for name in names for prompt in prompts]
    (directory / "prompts.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    command = [knack, "generate", "--model", directory, "--prompts", directory / "prompts.jsonl", "--dtype", "float32",
               "--temperature", "0", "--max-tokens", "64", "--json"]
    for name in names:
        if name:
            command += ["--adapter", f"{name}={directory / 'adapters' / name}"]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def rounding(model, answer):
    """How far the model's own prompt log-probabilities are from what float64 gives."""
    prompt = answer["prompt_ids"]
    with torch.no_grad():
        exact = torch.log_softmax(copy.deepcopy(model).double()(torch.tensor([prompt])).logits, -1)[0]
    return max(abs(exact[i, prompt[i + 1]].item() - answer["prompt_logprobs"][i + 1]) for i in range(len(prompt) - 1))


def check(knack, seed, directory):
    """What differs, in words; none when all is equal."""
    draw = random.Random(seed)
    torch.manual_seed(seed)
    family, model_class, config = model_of(draw)
    config.architectures = [model_class.__name__]
    model = model_class(config).eval()
    scale(model, seed)
    if draw.random() < 0.3:
        model = model.to(torch.bfloat16)
    model.save_pretrained(directory)
    tokenizer(directory)
    model = model_class.from_pretrained(directory, dtype=torch.float32).eval()
    tuned = list(adapters("base", model_class, directory, seed, {"one": adapter_of(draw), "two": adapter_of(draw)}))
    models = [model] + [m for _, m in tuned]
    generator = torch.Generator().manual_seed(seed)
    theirs = [decided(models, draw.randint(2, 60), generator) for _ in range(3)]
    prompts = [answers[0]["prompt_ids"] for answers in theirs]
    expected = [answers[i] for i in range(3) for answers in theirs]
    asked = [model for model in models for _ in prompts]
    worst, theirs, wrong = 0, 0, []
    for found, wanted, judge in zip(ours(knack, directory, [None, "one", "two"], prompts), expected, asked, strict=True):
        pairs = zip(found["prompt_logprobs"][1:], wanted["prompt_logprobs"][1:], strict=True)
        worst, theirs = max([worst] + [abs(a - b) for a, b in pairs]), max(theirs, rounding(judge, wanted))
        if found["samples"][0]["ids"] != wanted["ids"]:
            wrong.append("tokens differ")
    if worst > max(TOLERANCE, 5 * theirs):
        wrong.append("log-probabilities differ")
    print(f"seed {seed}: {family}, {config.num_hidden_layers} layers, worst {worst:.1e}, transformers' own rounding"
          f" {theirs:.1e} {' '.join(sorted(set(wrong)))}", flush=True)
    return wrong


def main(knack, count=12, first=1):
    bad = 0
    for seed in range(int(first), int(first) + int(count)):
        directory = Path(tempfile.mkdtemp(prefix="random-parity-"))
        if check(knack, seed, directory):
            bad += 1
            print("kept:", directory)
        else:
            shutil.rmtree(directory)
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
