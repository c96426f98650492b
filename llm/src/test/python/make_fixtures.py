"""Writes the parity fixtures: random tiny checkpoints of every decoder family, LoRA adapters over
them, and what transformers and peft compute with them.

    python make_fixtures.py OUT_DIRECTORY [MODEL...]

The models are scaled so that logits are far from flat, and every distinctive option (rotary embedding
and its scaling, window, q/k norm) moves log-probabilities by much more than the tolerance of the test:
`effect` in expected.json is measured by switching the option off. A larger scale shows no more and
magnifies the rounding of bfloat16.
"""

import json
import shutil
import sys
from pathlib import Path

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import (
    LlamaConfig,
    LlamaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    PreTrainedTokenizerFast,
    Qwen2Config,
    Qwen2ForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
)

VOCABULARY = 257
SHAPE = dict(
    vocab_size=VOCABULARY,
    hidden_size=32,
    intermediate_size=48,
    num_hidden_layers=2,
    num_attention_heads=4,
    num_key_value_heads=2,
    max_position_embeddings=512,
    bos_token_id=None,
    eos_token_id=256,
    pad_token_id=None,
)
LLAMA3 = {
    "rope_type": "llama3",
    "rope_theta": 500.0,
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}
MODELS = {
    "llama2": (LlamaForCausalLM, LlamaConfig(**SHAPE)),
    "llama3": (LlamaForCausalLM, LlamaConfig(**SHAPE, rope_parameters=LLAMA3, tie_word_embeddings=True)),
    "llama-linear": (
        LlamaForCausalLM,
        LlamaConfig(
            **SHAPE,
            rope_parameters={"rope_type": "linear", "factor": 4.0, "rope_theta": 10000.0},
            attention_bias=True,
            mlp_bias=True,
        ),
    ),
    "mistral": (MistralForCausalLM, MistralConfig(**SHAPE, sliding_window=7, head_dim=12)),
    "qwen2": (
        Qwen2ForCausalLM,
        Qwen2Config(**SHAPE, use_sliding_window=True, sliding_window=9, max_window_layers=1, tie_word_embeddings=True),
    ),
    "qwen3": (Qwen3ForCausalLM, Qwen3Config(**SHAPE, head_dim=16)),
}
PROMPTS = [5, 17, 40]
MARGIN = 2e-3


def scale(model, seed):
    """Weights so large that attention is peaked and logits are not flat."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            if name.endswith("norm.weight") or "layernorm" in name:
                parameter.copy_(1 + 0.3 * noise)
            elif name.endswith("bias"):
                parameter.copy_(0.3 * noise)
            elif "embed" in name or "lm_head" in name:
                parameter.copy_(0.4 * noise)
            else:
                parameter.copy_(noise * (1.5 / parameter.shape[1] ** 0.5))


def measure(model, prompt, tokens=64):
    ids = torch.tensor([prompt])
    with torch.no_grad():
        logprobs = torch.log_softmax(model(ids).logits.float(), -1)[0]
        out = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=tokens,
                             min_new_tokens=0, do_sample=False, use_cache=True)
    scores = [logprobs[i, prompt[i + 1]].item() for i in range(len(prompt) - 1)]
    with torch.no_grad():
        best = model(out).logits[0, len(prompt) - 1:-1].topk(2).values
    new = out[0, len(prompt):].tolist()
    answer = {"prompt_ids": prompt, "prompt_logprobs": [None] + scores, "ids": [t for t in new if t != 256]}
    return answer, (best[:, 0] - best[:, 1]).min().item()


def decided(models, length, generator):
    """A prompt whose greedy continuations are no coin tosses in any of the models, and the answers."""
    while True:
        prompt = torch.randint(0, 256, (length,), generator=generator).tolist()
        answers = []
        for model in models:
            answer, margin = measure(model, prompt)
            if margin < MARGIN:
                break
            answers.append(answer)
        else:
            return answers


def without(name, model_class, directory):
    """The model with its distinctive option off."""
    model = model_class.from_pretrained(directory, dtype=torch.float32).eval()
    config = model.config
    if name == "qwen3":
        for layer in model.model.layers:
            layer.self_attn.q_norm = layer.self_attn.k_norm = torch.nn.Identity()
        return model
    if name == "llama2":
        model.model.rotary_emb.inv_freq.zero_()
        return model
    if name in ("llama3", "llama-linear"):
        config.rope_parameters = {"rope_type": "default", "rope_theta": config.rope_parameters["rope_theta"]}
    elif name == "mistral":
        config.sliding_window = None
    elif name == "qwen2":
        config.layer_types = ["full_attention"] * 2
    return model_class.from_pretrained(directory, config=config, dtype=torch.float32).eval()


def two_adapters():
    """Plain on attention, and rsLoRA with patterns on all linear layers."""
    return {
        "attention": LoraConfig(r=4, lora_alpha=8, target_modules=["q_proj", "v_proj"], task_type="CAUSAL_LM"),
        "everywhere": LoraConfig(
            r=6, lora_alpha=12, use_rslora=True, target_modules="all-linear", task_type="CAUSAL_LM",
            rank_pattern={"layers.0.mlp.up_proj": 3}, alpha_pattern={"o_proj": 5},
        ),
    }


def adapters(name, model_class, directory, seed, configs):
    """Writes random adapters; yields each one's name and the model with it."""
    for adapter, config in configs.items():
        base = model_class.from_pretrained(directory, dtype=torch.float32)
        model = get_peft_model(base, config)
        generator = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for key, parameter in model.named_parameters():
                if "lora_" in key:
                    parameter.copy_(0.2 * torch.randn(parameter.shape, generator=generator))
        path = directory / "adapters" / adapter
        model.save_pretrained(path)
        (path / "README.md").unlink(missing_ok=True)
        saved = json.loads((path / "adapter_config.json").read_text())
        saved["base_model_name_or_path"] = name  # Not where it lay on this machine.
        (path / "adapter_config.json").write_text(json.dumps(saved, indent=2) + "\n")
        yield adapter, PeftModel.from_pretrained(model_class.from_pretrained(directory, dtype=torch.float32), path).eval()


def tokenizer(directory):
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tok = Tokenizer(models.BPE(vocab={c: i for i, c in enumerate(alphabet)}, merges=[]))
    tok.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tok.decoder = decoders.ByteLevel()
    PreTrainedTokenizerFast(tokenizer_object=tok, eos_token="<end>").save_pretrained(directory)


def main(out, chosen):
    for number, (name, (model_class, config)) in enumerate(MODELS.items()):
        if chosen and name not in chosen:
            continue
        directory = out / name
        shutil.rmtree(directory, ignore_errors=True)
        config.architectures = [model_class.__name__]
        model = model_class(config).eval()
        scale(model, 100 + number)
        if name == "qwen3":
            model = model.to(torch.bfloat16)
        model.save_pretrained(directory)
        tokenizer(directory)
        model = model_class.from_pretrained(directory, dtype=torch.float32).eval()
        generator = torch.Generator().manual_seed(number)
        tuned = list(adapters(name, model_class, directory, number, two_adapters()))
        answers = [decided([model] + [m for _, m in tuned], length, generator) for length in PROMPTS]
        expected = {key: [answer[i] for answer in answers] for i, key in enumerate(["base"] + [k for k, _ in tuned])}
        prompts = [answer["prompt_ids"] for answer in expected["base"]]
        half = model_class.from_pretrained(directory, dtype=torch.bfloat16).eval()
        expected["bfloat16"] = [measure(half, prompt, 1)[0]["prompt_logprobs"] for prompt in prompts]
        scores = measure(without(name, model_class, directory), prompts[2], 1)[0]["prompt_logprobs"][1:]
        pairs = zip(scores, expected["base"][2]["prompt_logprobs"][1:])
        expected["effect"] = max(abs(a - b) for a, b in pairs)
        (directory / "expected.json").write_text(json.dumps(expected) + "\n")
        print(name, "effect", expected["effect"], [len(e["ids"]) for e in expected["base"]])


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
