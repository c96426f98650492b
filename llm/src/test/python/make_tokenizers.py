"""What AutoTokenizer makes of a tokenizer.json beside other files: tokenizers.json for TokenizerSettingsTest.

    python make_tokenizers.py OUT.JSON

Two tiny tokenizers (word pieces with byte fallback, as Llama 2 has them, and bytes, as Qwen and Llama 3 do) under
the settings that published checkpoints have, and some that they might: token ids, what decoding shows, and the
tokens with a name.
"""

import json
import sys
import tempfile
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import AutoTokenizer

CORPUS = ["Hello world, a test of the tokenizer 123.", "user assistant [INST] hi there", "I'll you're HELLO two  spaces"] * 20
TEXTS = ["Hello world", " Hello", "  two spaces", "trailing  ", "a\n\nb\tc", "na\u00efve \u65e5 \U0001f600", "e\u0301 12345",
         "<s>hi</s> there", "</s> a", " <s>", "<s> [INST] hi [/INST] yes</s>", "I'LL you're",
         "<|im_start|>user\nhi<|im_end|>\n", "<think>\nhm</think> <extra>x", "<|begin|>a<|end|>", "\u2581under"]
PIECES = ["<unk>", "<s>", "</s>"]
BYTES = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]


def pieces():
    plain = Tokenizer(models.BPE())
    plain.normalizer = normalizers.Sequence([normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")])
    plain.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="never")
    plain.train_from_iterator(CORPUS, trainers.BpeTrainer(vocab_size=80, show_progress=False))
    model = json.loads(plain.to_str())["model"]
    tokens = PIECES + [f"<0x{b:02X}>" for b in range(256)] + sorted(model["vocab"], key=model["vocab"].get)
    vocabulary = {token: i for i, token in enumerate(dict.fromkeys(tokens))}
    merges = [tuple(pair) for pair in model["merges"]]
    tok = Tokenizer(models.BPE(vocab=vocabulary, merges=merges, byte_fallback=True, fuse_unk=True, unk_token="<unk>"))
    tok.normalizer = plain.normalizer
    tok.decoder = decoders.Sequence(
        [decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    tok.post_processor = processors.TemplateProcessing("<s> $A", "<s> $A <s>:1 $B:1", [("<s>", 1)])
    tok.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in PIECES])
    return json.loads(tok.to_str())


def bytes_():
    tok = Tokenizer(models.BPE())
    tok.normalizer = normalizers.NFC()
    words = Regex(r" ?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+|\s+")
    tok.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(words, "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tok.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tok.train_from_iterator(
        CORPUS, trainers.BpeTrainer(vocab_size=300, initial_alphabet=alphabet, show_progress=False))
    tok.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in BYTES])
    return json.loads(tok.to_str())


def token(content, special=True):
    return {"content": content, "lstrip": False, "normalized": False, "rstrip": False, "single_word": False,
            "special": special}


def cases(files):
    added = {"pieces": {str(i): token(t) for i, t in enumerate(PIECES)}}
    first = next(t["id"] for t in files["bytes"]["added_tokens"])
    added["bytes"] = {str(first + i): token(t) for i, t in enumerate(BYTES)}

    def case(name, file, family, known=True, **settings):
        if known:
            settings = {"added_tokens_decoder": dict(added[file]), **settings}
        return {"name": name, "file": file, "config": {"model_type": family}, "settings": settings}

    llama = {"tokenizer_class": "LlamaTokenizer", "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
    qwen = {"tokenizer_class": "Qwen2Tokenizer", "eos_token": "<|im_end|>", "pad_token": "<|endoftext|>", "bos_token": None}
    generic = {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "<|im_end|>"}
    think = {str(first + 3): token("<think>", False), str(first + 4): token("</think>", False)}
    return [
        case("llama 2", "pieces", "llama", **llama, legacy=False),
        case("llama 2, legacy", "pieces", "llama", **llama, legacy=True),
        case("llama 2, fast", "pieces", "llama", **{**llama, "tokenizer_class": "LlamaTokenizerFast"}),
        case("llama 2, no prefix", "pieces", "llama", **llama, add_prefix_space=False),
        case("llama 2, without its tokens", "pieces", "llama", False, tokenizer_class="LlamaTokenizer"),
        case("llama 2, no first token", "pieces", "llama", **llama, add_bos_token=False, add_eos_token=True),
        case("llama 2, generic", "pieces", "llama", **{**llama, "tokenizer_class": "PreTrainedTokenizerFast"}),
        case("mistral", "pieces", "mistral", **llama, additional_special_tokens=["<extra>"]),
        case("qwen", "bytes", "qwen2", **qwen),
        case("qwen, think", "bytes", "qwen2", **{**qwen, "added_tokens_decoder": {**added["bytes"], **think}}),
        case("qwen, prefix", "bytes", "qwen2", **qwen, add_prefix_space=True),
        case("qwen, generic", "bytes", "qwen2", **generic),
        case("qwen, extra", "bytes", "qwen2", False, **qwen, extra_special_tokens=["<extra>", "<|im_start|>"]),
        case("qwen 3, no class", "bytes", "qwen3", eos_token="<|im_end|>"),
        case("qwen 3, generic", "bytes", "qwen3", **generic),
        case("llama 3", "bytes", "llama", **{**generic, "bos_token": "<|begin|>", "pad_token": {**token("<|end|>"), "__type": "AddedToken"}}),
        case("llama 3 as llama 2", "bytes", "llama", **{**generic, "tokenizer_class": "LlamaTokenizerFast"}),
        case("smollm2", "bytes", "llama", tokenizer_class="GPT2Tokenizer", bos_token="<|im_start|>", eos_token="<|im_end|>"),
        case("smollm2, prefix", "bytes", "llama", tokenizer_class="GPT2Tokenizer", add_prefix_space=True),
        case("image tokens", "bytes", "llama", **generic, image_token="<extra>"),
    ]


def main(out):
    files = {"pieces": pieces(), "bytes": bytes_()}
    made = cases(files)
    for one in made:
        with tempfile.TemporaryDirectory() as directory:
            path = Path(directory)
            (path / "tokenizer.json").write_text(json.dumps(files[one["file"]]))
            (path / "tokenizer_config.json").write_text(json.dumps(one["settings"]))
            (path / "config.json").write_text(json.dumps(one["config"]))
            tok = AutoTokenizer.from_pretrained(path)
        one["class"] = type(tok).__name__
        one["ids"] = [tok(text)["input_ids"] for text in TEXTS]
        one["decoded"] = [tok.decode(ids, skip_special_tokens=True) for ids in one["ids"]]
        one["named"] = dict(tok.special_tokens_map)
    Path(out).write_text(json.dumps({"texts": TEXTS, "files": files, "cases": made}, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
