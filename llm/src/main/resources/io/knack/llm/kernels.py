# The kernels: TorchScript, in the dialect of a saved module. Java archives this text and loads it.
# B sequences, T tokens, d model width, H query heads, G key/value heads, D head width, V vocabulary.

class Ops(Module):
  __parameters__ = []
  __buffers__ = []
  training : bool

  # Types and storage ----------------------------------------------------------------------------

  def cast(self: __torch__.Ops, x: Tensor, dtype: int) -> Tensor:
    return torch.to(x, dtype)

  # Bits that came as float16 are bfloat16: the same storage under the other name.
  def bits_as_bf16(self: __torch__.Ops, x: Tensor) -> Tensor:
    return torch.set_(torch.empty([0], dtype=15, device=ops.prim.device(x)), x)

  # The bits of a bfloat16 tensor as float16, for writing.
  def bf16_as_bits(self: __torch__.Ops, x: Tensor) -> Tensor:
    return torch.view_copy(torch.contiguous(x), dtype=5)

  def to_host(self: __torch__.Ops, x: Tensor) -> Tensor:
    return torch.contiguous(torch.cpu(torch.detach(torch.to(x, 6))))

  # Like `like` in type and device.
  def move(self: __torch__.Ops, x: Tensor, like: Tensor) -> Tensor:
    return torch.to(x, like)

  def place(self: __torch__.Ops, x: Tensor, dtype: int, device: str) -> Tensor:
    return torch.to(x, torch.device(device), dtype)

  def allocate(self: __torch__.Ops, shape: List[int], dtype: int, device: str) -> Tensor:
    return torch.zeros(shape, dtype=dtype, device=torch.device(device))

  # Writes a flat piece into x from element `start` on.
  def fill(self: __torch__.Ops, x: Tensor, piece: Tensor, start: int) -> Tensor:
    return torch.copy_(torch.slice(torch.view(x, [-1]), 0, start, start + torch.numel(piece)), piece)

  # 1 when no value is NaN or infinite: both survive in a sum of x * 0.
  def all_finite(self: __torch__.Ops, x: Tensor) -> int:
    if torch.numel(x) == 0:
      return 1
    low, high = torch.aminmax(x)
    return int(torch.item(torch.logical_and(torch.isfinite(low), torch.isfinite(high))))
