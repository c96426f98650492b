"""The kernels that Java archives, loaded with torch.jit.load and held against eager PyTorch.

    python check_kernels.py KERNELS.PY [DEVICE]

Takes the kernel text (llm/src/main/resources/io/knack/llm/kernels.py), puts it into the archive that
ScriptArchive writes, and compares on the device in float32 and, on CUDA, bfloat16. Exit code 1 when a
kernel differs by more than its tolerance.
"""

import io
import sys
import zipfile
from pathlib import Path

import torch
import torch.nn.functional as F
from transformers import RepetitionPenaltyLogitsProcessor


def archive(text):
    out = io.BytesIO()
    pickle = (b"\x80\x02c__torch__\nOps\n)\x81}(X\x08\x00\x00\x00training\x89ub.")
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as zip:
        zip.writestr("ops/data.pkl", pickle)
        zip.writestr("ops/code/__torch__.py", text)
        zip.writestr("ops/constants.pkl", b"\x80\x02).")
        zip.writestr("ops/version", "10\n")
        zip.writestr("ops/byteorder", "little")
    out.seek(0)
    return out


def rotated(x, cos, sin):
    half = x.shape[-1] // 2
    return x * cos + torch.cat([-x[..., half:], x[..., :half]], -1) * sin


def cases(ops, device, dtype):
    make = torch.Generator().manual_seed(1)

    def randn(*shape):
        return torch.randn(*shape, generator=make).to(device, dtype)

    x, w, b = randn(12, 64), randn(32, 64), randn(32)
    yield "linear", ops.linear(x, w, b), F.linear(x, w, b)
    yield "linear without bias", ops.linear(x, w, torch.empty(0, device=device)), F.linear(x, w)
    if device == "cpu":
        laid_out = ops.fuse([w], 1)
        yield "linear, weights laid out for the CPU", ops.linear(x, laid_out, b), F.linear(x, w, b)
    scale = randn(64)
    yield "rms_norm", ops.rms_norm(x, scale, torch.tensor([1e-6], device=device)), F.rms_norm(x.float(), (64,), None, 1e-6).to(dtype) * scale

    positions = torch.arange(12, device=device)
    frequencies = 1 / 100 ** (torch.arange(0, 16, 2, device=device) / 16)
    cos, sin = ops.rotary_table(positions, frequencies, 6)
    q = randn(12, 4, 16)
    angle = torch.outer(positions.float(), frequencies).repeat(1, 2).unsqueeze(1)
    yield "rotary", ops.rotate(q.float().clone(), cos, sin), rotated(q.float(), angle.cos(), angle.sin())

    k, v = randn(2, 2, 12, 16), randn(2, 2, 12, 16)
    for window in (0, 5):
        found = ops.attend_segments(q, k, v, [1, 0, 12], window)
        ago = positions[:, None] - positions
        seen = (ago >= 0) & (ago < (window or 99))
        wanted = F.scaled_dot_product_attention(
            q.transpose(0, 1), k[1], v[1], seen, enable_gqa=True)
        yield f"attention, window {window}", found, wanted.transpose(0, 1).reshape(12, 64)

    q, k, v = randn(8, 4, 16), randn(6, 2, 12, 16), randn(6, 2, 12, 16)
    mask = torch.zeros(5, 2, 1, 9, device=device, dtype=dtype)
    mask[2, :, :, 4:] = -torch.inf
    wanted = F.scaled_dot_product_attention(
        q[:5].unsqueeze(2), k[:5, :, :9], v[:5, :, :9], mask[:, :1], enable_gqa=True)
    for batched in (False, True):
        found = ops.attend_rows(q, k, v, mask, 9, batched)
        yield f"attention, one token a row{', batched' * batched}", found[:5], wanted.reshape(5, 64)

    if device == "cpu":
        q, k1, v1, k2, v2 = randn(5, 4, 16), randn(2, 9, 16), randn(2, 9, 16), randn(5, 2, 7, 16), randn(5, 2, 7, 16)
        mask = torch.zeros(5, 2, 1, 7)
        mask[2, :, :, 4:] = -torch.inf
        both = [torch.cat([shared.expand(5, -1, -1, -1), own], 2) for shared, own in ((k1, k2), (v1, v2))]
        wanted = F.scaled_dot_product_attention(
            q.unsqueeze(2), *both, torch.cat([torch.zeros(5, 1, 1, 9), mask[:, :1]], 3), enable_gqa=True)
        yield "attention over a shared prompt", ops.attend_shared(q, k1.expand(2, -1, -1, -1), v1.expand(2, -1, -1, -1), k2, v2, mask), wanted.reshape(5, 64)

    for width in (16, 18):  # eight bytes at a time, and not
        cache, written = randn(2, 3, 2, 9, width), randn(4, 8, width)[:, 4:]
        rows, places = torch.tensor([0, 2, 1, 2], device=device), torch.tensor([8, 3, 0, 4], device=device)
        wanted = cache.clone()
        for i in range(4):
            wanted[:, rows[i], :, places[i]] = written[i].view(2, 2, width)
        ops.keep(cache, ops.addresses(cache, rows, places), written)
        yield f"keys and values kept, width {width}", cache, wanted

    a, up = randn(6, 64), randn(32, 6)
    own = torch.zeros(12, 6, device=device, dtype=dtype)
    own[:, 2:5] = 1
    yield "lora", ops.lora(F.linear(x, w), x, a, up, own), F.linear(x, w) + (x @ a[2:5].T) @ up[:, 2:5].T
    wanted = (w.float() + 0.5 * (up.float() @ a.float())).to(dtype)
    yield "merge", ops.merge(w, a, up, 0.5), wanted

    logits = 3 * randn(8, 50).float()
    draws = torch.rand(8, 4, generator=make).to(device, torch.float64)
    draws[:, 0], draws[:, 1], draws[:, 2] = 1, 1, 0
    seen = torch.stack([torch.arange(8).repeat_interleave(20), torch.randint(0, 50, (160,), generator=make)])
    found = ops.sample(logits, draws, False, True, seen, 1.0)
    sums = logits.softmax(1).cumsum(1)
    token = (sums <= draws[:, 3:].float() * sums[:, -1:]).sum(1)
    score = logits.log_softmax(1).gather(1, token[:, None])[:, 0]
    yield "sample", found, torch.stack([token.double(), score.double()], 1).cpu()
    draws[:, 2] = 1
    yield "sample, top 1", ops.sample(logits, draws, True, False, seen, 1.0)[:, 0], logits.argmax(1).double().cpu()
    draws[:, 0] = 0
    penalized = torch.stack([
        RepetitionPenaltyLogitsProcessor(1.5)(seen[1, 20 * i:20 * i + 20][None].to(device), logits[i:i + 1])[0]
        for i in range(8)])
    yield "penalty", ops.penalize(logits, seen.to(device), 1.5), penalized
    found = ops.sample(logits, draws, False, False, seen, 1.5)[:, 0]
    yield "sample, penalty", found, penalized.argmax(1).double().cpu()
    yield "sample, greedy", ops.sample(logits, draws, False, False, seen, 1.0)[:, 0], logits.argmax(1).double().cpu()


def main(path, device="cpu"):
    ops = torch.jit.load(archive(Path(path).read_text()), map_location=device)
    torch._C._set_graph_executor_optimize(False)
    failed = 0
    for dtype in [torch.float32] + ([torch.bfloat16] if device != "cpu" else []):
        tolerance = 1e-5 if dtype == torch.float32 else 5e-2
        with torch.no_grad():
            for name, found, wanted in cases(ops, device, dtype):
                gap = ((found.double() - wanted.double()).abs().max() / wanted.double().abs().max().clamp(min=1)).item()
                failed += not gap <= tolerance
                print(f"{'ok  ' if gap <= tolerance else 'FAIL'} {dtype} {name}: {gap:.1e}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
