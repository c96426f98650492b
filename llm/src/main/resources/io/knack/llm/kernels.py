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

  # In one piece, in the order of its dimensions: products of the same numbers in another order of
  # storage may be rounded in another way.
  def in_order(self: __torch__.Ops, x: Tensor) -> Tensor:
    return torch.contiguous(x)

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

  # 1 when x and y hold the same numbers.
  def same(self: __torch__.Ops, x: Tensor, y: Tensor) -> int:
    return int(torch.equal(x, y))

  # Linear algebra -------------------------------------------------------------------------------

  # Rows of several projections of one input as one matrix (out, in), laid out for the CPU as asked:
  # 0, as it is. 1, in blocks of 32 outputs, each (in, 32) in one piece, the last one padded: a bias, of
  # zeros if need be, then tells linear how many outputs there are. 2, as oneDNN packs it. In float32 a
  # row of a product depends, in either of the two, on that row alone, provided that there are at least
  # 2 and their number is a multiple of 4: callers pad to that. 3, bfloat16 that oneDNN cannot pack for
  # this CPU, as (1, out, in). Shorter types in blocks have a dimension more: (out/32, 1, in, 32) in layout
  # 1, (out/32, in, 32, 1) in layout 4, for where bfloat16 cannot be packed; float32 inputs widen them.
  def fuse(self: __torch__.Ops, parts: List[Tensor], layout: int) -> Tensor:
    w = parts[0]
    if len(parts) > 1:
      w = torch.cat(parts, 0)
    if layout == 1 or layout == 4:
      blocks = torch.floordiv(w.size(0) + 31, 32)
      if 32 * blocks > w.size(0):
        w = torch.constant_pad_nd(w, [0, 0, 0, 32 * blocks - w.size(0)])
      w = torch.contiguous(torch.transpose(torch.view(w, [blocks, 32, -1]), 1, 2))
      if w.dtype != 6:
        w = torch.unsqueeze(w, min(layout, 3))
    elif layout == 2:
      w = ops.mkldnn._reorder_linear_weight(torch.contiguous(w), 16)
    elif len(parts) == 1:
      w = torch.clone(w)
    if layout == 3:
      w = torch.unsqueeze(w, 0)
    return w

  # x W^T + b; an empty b is none.
  def linear(self: __torch__.Ops, x: Tensor, w: Tensor, b: Tensor) -> Tensor:
    bias = annotate(Optional[Tensor], None)
    if torch.numel(b) > 0:
      bias = b
    if w.is_mkldnn:
      return (self).linear_packed(x, w, bias)
    if w.dim() < 3:
      return torch.linear(x, w, bias)
    if w.dim() == 4:
      if x.dtype != 6 and w.size(1) == 1:
        return (self).linear_blocks(x, w, bias)
      return (self).linear_widened(x, w, bias)
    if w.dtype == 15:
      return (self).linear_unpacked(x, torch.select(w, 0, 0), bias)
    y = torch.bmm(torch.expand(torch.unsqueeze(x, 0), [w.size(0), -1, -1]), w)
    return (self).from_blocks(y, bias)

  # Sums of more than 512 products are split in another way for more than 64 rows (seen on AVX2 between
  # 64 and 100): in float32 such rows are multiplied 64 at a time.
  def linear_packed(self: __torch__.Ops, x: Tensor, w: Tensor, b: Optional[Tensor]) -> Tensor:
    n = x.size(0)
    if n <= 64 or x.size(1) <= 512 or x.dtype != 6:
      return ops.mkldnn._linear_pointwise(x, w, b, "none", annotate(List[Optional[number]], []), None)
    parts = annotate(List[Tensor], [])
    for i in range(torch.floordiv(n + 63, 64)):
      some = torch.slice(x, 0, 64 * i, 64 * i + 64)
      parts.append(ops.mkldnn._linear_pointwise(some, w, b, "none", annotate(List[Optional[number]], []), None))
    return torch.cat(parts)

  # bfloat16 in blocks, for prompts: one product of many rows is faster than one a block, though the
  # weights are copied for it.
  def linear_blocks(self: __torch__.Ops, x: Tensor, w: Tensor, b: Optional[Tensor]) -> Tensor:
    w3 = torch.transpose(torch.view(w, [w.size(0), -1, 32]), 1, 2)
    w2 = torch.reshape(w3, [-1, w3.size(2)])  # (out, in)
    if b is not None:
      w2 = torch.slice(w2, 0, 0, torch.numel(b))
    return torch.linear(x, w2, b)

  # Shorter types in blocks, widened some blocks at a time: so many that they stay in the cache.
  def linear_widened(self: __torch__.Ops, x: Tensor, w: Tensor, b: Optional[Tensor]) -> Tensor:
    w3 = torch.view(w, [w.size(0), -1, 32])
    some = max(1, torch.floordiv(1048576, 32 * w3.size(1)))
    x3 = torch.unsqueeze(torch.to(x, 6), 0)
    parts = annotate(List[Tensor], [])
    for i in range(torch.floordiv(w.size(0) + some - 1, some)):
      piece = torch.to(torch.slice(w3, 0, some * i, some * i + some), 6)
      parts.append(torch.bmm(torch.expand(x3, [piece.size(0), -1, -1]), piece))
    return torch.to((self).from_blocks(torch.cat(parts), b), x.dtype)

  # Outputs (out/32, N, 32) of products a block, as rows (N, out), with what fills up the last block cut
  # off and a bias added.
  def from_blocks(self: __torch__.Ops, y: Tensor, b: Optional[Tensor]) -> Tensor:
    rows = torch.reshape(torch.transpose(y, 0, 1), [y.size(1), -1])
    if b is None:
      return rows
    return torch.add(torch.slice(rows, 1, 0, torch.numel(b)), b)

  # In bfloat16 on a CPU without instructions for it: its own product of many rows is several times
  # slower than to widen the weights on the way, which rounds the sums once as well.
  def linear_unpacked(self: __torch__.Ops, x: Tensor, w: Tensor, b: Optional[Tensor]) -> Tensor:
    if x.size(0) <= 4:
      return torch.linear(x, w, b)
    y = torch.matmul(torch.to(x, 6), torch.t(torch.to(w, 6)))
    if b is not None:
      y = torch.add(y, b)
    return torch.to(y, x.dtype)

  # What the adapters add to a projection of x (N, in): `a` (c S, in) stacks the down-projections of
  # the c fused modules of all adapters in the batch, S ranks together; `b` (out, c S) holds the
  # up-projections, scaled, block by block; `own` (N, S) is 1 on the ranks of a row's own adapter. Adapters
  # stay float32 over a base of any type and the sum is rounded once, as PEFT does it.
  def lora(self: __torch__.Ops, y: Tensor, x: Tensor, a: Tensor, b: Tensor, own: Tensor) -> Tensor:
    if torch.numel(a) == 0:
      return y
    s = own.size(1)
    z = torch.view(torch.linear(torch.to(x, a), a), [-1, torch.floordiv(a.size(0), s), s])  # (N, c, S)
    z = torch.view(torch.mul(z, torch.unsqueeze(own, 1)), [-1, a.size(0)])
    return torch.to(torch.add(y, torch.linear(z, b)), y)

  def rms_norm(self: __torch__.Ops, x: Tensor, weight: Tensor, eps: Tensor) -> Tensor:
    h = torch.to(x, 6)
    length = torch.linalg_vector_norm(h, 2, [-1], True)
    h = torch.mul(h, torch.rsqrt(torch.addcmul(eps, length, length, value=1. / float(x.size(-1)))))
    return torch.mul(torch.to(h, x.dtype), weight)

  # Rotary embedding of x (N, heads, D), in place: cos and sin are (N, 1, D), sin negative in its first
  # half. Both products are rounded before they are added, as in eager PyTorch: in bfloat16 it shows.
  def rotate(self: __torch__.Ops, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    turned = torch.mul_(torch.roll(x, [torch.floordiv(x.size(2), 2)], [-1]), sin)
    return torch.add_(torch.mul_(x, cos), turned)

  # cos and signed sin, each (N, 1, D), of positions (N) at the inverse frequencies (D/2).
  def rotary_table(self: __torch__.Ops, positions: Tensor, frequencies: Tensor, dtype: int) -> List[Tensor]:
    angle = torch.mul(torch.unsqueeze(torch.to(positions, 6), 1), frequencies)  # (N, D/2)
    sin = torch.sin(angle)
    cos = torch.cos(angle)
    return [torch.to(torch.unsqueeze(torch.cat([cos, cos], 1), 1), dtype),
            torch.to(torch.unsqueeze(torch.cat([torch.neg(sin), sin], 1), 1), dtype)]

  # Attention ------------------------------------------------------------------------------------

  # 0 where a query at `at` (Q) may see a key at `keys` (L), -inf elsewhere: keys up to itself, the
  # last `window` of them when there is a window.
  def visible(self: __torch__.Ops, at: Tensor, keys: Tensor, window: int, dtype: int) -> Tensor:
    ago = torch.sub(torch.unsqueeze(at, -1), keys)  # (Q, L)
    hidden = torch.lt(ago, 0)
    if window > 0:
      hidden = torch.logical_or(hidden, torch.ge(ago, window))
    return torch.masked_fill(torch.zeros(ago.size(), dtype=dtype, device=ops.prim.device(at)), hidden, -inf)

  # One token for each of the rows 0..B-1, q (N, H, D) being padded from B: over keys and values
  # (R, G, C, D), the first `length` of them, with mask (B, G, 1, length). The H/G queries that share a
  # key head are taken as the positions of one head, so that nothing is repeated. `batched` takes two
  # products for all heads in place of the fused kernel.
  def attend_rows(self: __torch__.Ops, q: Tensor, k: Tensor, v: Tensor, mask: Tensor, length: int, batched: bool) -> Tensor:
    n, h, d = q.size()
    g = k.size(1)
    r = torch.floordiv(h, g)
    b = mask.size(0)
    if b < n:
      q = torch.slice(q, 0, 0, b)
    if batched:
      k3 = torch.as_strided(k, [b * g, d, length], [k.stride(1), 1, d])
      v3 = torch.as_strided(v, [b * g, length, d], [v.stride(1), d, 1])
      seen = torch.view(mask, [b * g, 1, length])
      p = torch.baddbmm(seen, torch.reshape(q, [b * g, r, d]), k3, alpha=torch.pow(float(d), -0.5))
      y = torch.view(torch.bmm(torch.softmax(p, -1), v3), [b, h * d])
    else:
      k4 = torch.as_strided(k, [b, g, length, d], [k.stride(0), k.stride(1), d, 1])
      v4 = torch.as_strided(v, [b, g, length, d], [v.stride(0), v.stride(1), d, 1])
      y = torch.scaled_dot_product_attention(torch.reshape(q, [b, g, r, d]), k4, v4, mask)
      y = torch.reshape(y, [b, h * d])
    if b < n:
      y = torch.constant_pad_nd(y, [0, 0, 0, n - b])
    return y

  # The same for rows of which many began with one prompt: what they all hold of it is read once.
  # blocks: 5 numbers each - places of the cache that its rows share (0: none), where its rows begin in
  # `order`, how many, the first of them if they lie behind one another, else -1, places looked at.
  def attend_blocks(self: __torch__.Ops, q: Tensor, k: Tensor, v: Tensor, mask: Tensor, blocks: List[int], order: Tensor, batched: bool) -> Tensor:
    n, h, d = q.size()
    if len(blocks) == 5 and blocks[2] == n and blocks[3] == 0:
      return (self).attend_block(q, k, v, mask, blocks, order, batched)
    out = torch.zeros([n, h * d], dtype=q.dtype, device=ops.prim.device(q))
    for i in range(torch.floordiv(len(blocks), 5)):
      block = torch.slice(blocks, 5 * i, 5 * i + 5)
      y = (self).attend_block(q, k, v, mask, block, order, batched)
      if block[3] >= 0:
        torch.copy_(torch.slice(out, 0, block[3], block[3] + block[2]), y)
      else:
        torch.index_copy_(out, 0, torch.slice(order, 0, block[1], block[1] + block[2]), y)
    return out

  # The rows of one block: (rows, H D).
  def attend_block(self: __torch__.Ops, q: Tensor, k: Tensor, v: Tensor, mask: Tensor, block: List[int], order: Tensor, batched: bool) -> Tensor:
    shared, start, count, first, length = block
    if first >= 0:
      qs = torch.slice(q, 0, first, first + count)
      ks = (self).places(k, first, count, shared, length)
      vs = (self).places(v, first, count, shared, length)
      seen = torch.slice(torch.slice(mask, 0, first, first + count), 3, shared, length)
      place = first
    else:
      rows = torch.slice(order, 0, start, start + count)
      qs = torch.index_select(q, 0, rows)
      ks = torch.index_select(torch.slice(k, 2, shared, length), 0, rows)
      vs = torch.index_select(torch.slice(v, 2, shared, length), 0, rows)
      seen = torch.slice(torch.index_select(mask, 0, rows), 3, shared, length)
      place = int(torch.item(torch.select(rows, 0, 0)))
    if shared == 0:
      return (self).attend_rows(qs, ks, vs, seen, length, batched)
    r = torch.floordiv(q.size(1), k.size(1))
    k1 = torch.expand((self).places(k, place, 1, 0, shared), [r, -1, -1, -1])
    v1 = torch.expand((self).places(v, place, 1, 0, shared), [r, -1, -1, -1])
    return (self).attend_shared(qs, k1, v1, ks, vs, seen)

  # Places from..to-1 of rows first..first+count-1 of keys or values (R, G, C, D), as one view.
  def places(self: __torch__.Ops, x: Tensor, first: int, count: int, start: int, end: int) -> Tensor:
    d = x.size(3)
    at = torch.storage_offset(x) + first * x.stride(0) + start * d
    return torch.as_strided(x, [count, x.size(1), end - start, d], [x.stride(0), x.stride(1), d, 1], at)

  # q (N, H, D) over places that all rows share, k1 and v1 (H/G, G, P, D), the same for every H/G, and each
  # row's own, k2 and v2 (N, G, L, D) with mask (N, G, 1, L).
  #
  # Attention over two parts of the places is the mean of the attention over each, weighted by the sums
  # of their exponentials. Over the shared part the rows are the positions of one sequence a head, padded
  # to a multiple of 16, so that a row's numbers do not depend on how many share it.
  def attend_shared(self: __torch__.Ops, q: Tensor, k1: Tensor, v1: Tensor, k2: Tensor, v2: Tensor, mask: Tensor) -> Tensor:
    n, h, d = q.size()
    r, g, _0, _1 = k1.size()
    q4 = torch.view(q, [n, g, r, d])
    y2, sum2 = torch._scaled_dot_product_flash_attention_for_cpu(q4, k2, v2, 0., False, attn_mask=mask)
    padding = 16 * torch.floordiv(n + 15, 16) - n
    if padding > 0:
      q4 = torch.constant_pad_nd(q4, [0, 0, 0, 0, 0, 0, 0, padding])
    y1, sum1 = torch._scaled_dot_product_flash_attention_for_cpu(torch.permute(q4, [2, 1, 0, 3]), k1, v1)
    y1 = torch.permute(y1, [2, 1, 0, 3])  # (N, G, H/G, D)
    sum1 = torch.permute(sum1, [2, 1, 0])
    if padding > 0:
      y1 = torch.slice(y1, 0, 0, n)
      sum1 = torch.slice(sum1, 0, 0, n)
    # A softmax, row by row, since the exponentials of a long vector's tail are rounded in another way.
    share = torch.softmax(torch.stack([sum1, sum2], 3), 3)  # (N, G, H/G, 2)
    y = torch.lerp(torch.to(y1, 6), torch.to(y2, 6), torch.slice(share, 3, 1, 2))
    return torch.reshape(torch.to(y, q.dtype), [n, h * d])

  # Tokens q (T, H, D) of one sequence over its keys and values (G, L, D), with mask (T, L); none is
  # causal, and L is T then. On a CPU the fused kernel takes the H/G queries that share a key head as so
  # many sequences over one storage, since it knows no shared heads.
  def attend_sequence(self: __torch__.Ops, q: Tensor, k: Tensor, v: Tensor, mask: Optional[Tensor]) -> Tensor:
    t, h, d = q.size()
    g, l, _0 = k.size()
    if q.is_cpu:
      r = torch.floordiv(h, g)
      q4 = torch.permute(torch.view(q, [t, g, r, d]), [2, 1, 0, 3])  # (r, G, T, D)
      k4 = torch.expand(torch.unsqueeze(k, 0), [r, g, l, d])
      v4 = torch.expand(torch.unsqueeze(v, 0), [r, g, l, d])
      y, sums = torch._scaled_dot_product_flash_attention_for_cpu(q4, k4, v4, 0., mask is None, attn_mask=mask)
      y = torch.permute(y, [2, 1, 0, 3])
    else:
      q4 = torch.unsqueeze(torch.transpose(q, 0, 1), 0)  # (1, H, T, D)
      k4 = torch.unsqueeze(k, 0)
      v4 = torch.unsqueeze(v, 0)
      y = torch.scaled_dot_product_attention(q4, k4, v4, mask, 0., mask is None, enable_gqa=True)
      y = torch.transpose(torch.squeeze(y, 0), 0, 1)
    return torch.reshape(y, [t, h * d])

  # Runs of tokens of several sequences behind one another, q (N, H, D); segment i is tokens
  # [from, from + count) of the cache's row `row`, at positions start and on: 3 numbers each.
  def attend_segments(self: __torch__.Ops, q: Tensor, k: Tensor, v: Tensor, segments: List[int], window: int) -> Tensor:
    n, h, d = q.size()
    out = torch.zeros([n, h * d], dtype=q.dtype, device=ops.prim.device(q))
    at = 0
    for i in range(torch.floordiv(len(segments), 3)):
      row = segments[3 * i]
      start = segments[3 * i + 1]
      count = segments[3 * i + 2]
      end = start + count
      low = 0
      if window > 0:
        low = max(0, start - window + 1)
      qs = torch.slice(q, 0, at, at + count)
      ks = torch.slice(torch.select(k, 0, row), 1, low, end)
      vs = torch.slice(torch.select(v, 0, row), 1, low, end)
      mask = annotate(Optional[Tensor], None)
      if start > 0 or (window > 0 and window < count):
        keys = torch.arange(low, end, dtype=4, device=ops.prim.device(q))
        mask = (self).visible(torch.slice(keys, 0, start - low), keys, window, q.dtype)
      torch.copy_(torch.slice(out, 0, at, at + count), (self).attend_sequence(qs, ks, vs, mask))
      at = at + count
    return out

  # The decoder ----------------------------------------------------------------------------------

  # Where the keys and values of positions (N) of rows (N) lie in a cache (2, R, G, C, D) seen as
  # (2 R G C, D): (N, 2 G).
  def addresses(self: __torch__.Ops, cache: Tensor, rows: Tensor, positions: Tensor) -> Tensor:
    _0, r, g, c, _1 = cache.size()
    kinds = torch.arange(0, 2 * r * g * c, r * g * c, dtype=4, device=ops.prim.device(rows))
    heads = torch.arange(0, g * c, c, dtype=4, device=ops.prim.device(rows))
    slots = torch.view(torch.add(torch.unsqueeze(kinds, 1), heads), [2 * g])
    return torch.add(torch.unsqueeze(torch.add(positions, rows, alpha=g * c), 1), slots)

  # Writes keys and values (N, 2 G, D) to their addresses, as numbers of eight bytes where D allows it:
  # the same storage under another name.
  def keep(self: __torch__.Ops, cache: Tensor, at: Tensor, x: Tensor) -> Tensor:
    d = x.size(2)
    flat = torch.view(cache, [-1, d])
    if d % 4 == 0:
      x = torch.view_copy(x, dtype=4)
      flat = torch.set_(torch.empty([0], dtype=4, device=ops.prim.device(x)), flat, 0, [flat.size(0), x.size(2)], [x.size(2), 1])
    return torch.index_put_(flat, annotate(List[Optional[Tensor]], [at]), x)

  # Tokens (N) at positions (N) of the cache's rows (N) through all blocks; their keys and values are
  # kept there. Returns the hidden states (N, d) after the last norm.
  #
  # weights: 12 a block - norm, qkv, its bias, q norm, k norm, o, its bias, norm, gate and up, its bias,
  # down, its bias - then embedding (in any type), norm, head, inverse frequencies; what a family lacks is empty.
  # shape: H, G, D, whether attend_rows is batched (0 or 1), then a window a block. cache: a block's keys
  # and values (2, R, G, C, D).
  # adapters: none, or 8 a block - a and b for qkv, o, gate and up, down. segments: none for decoding, of
  # which the first `running` tokens are wanted and the others padding. blocks and order: as in
  # attend_blocks, where rows share places of the cache; else none.
  def decoder(self: __torch__.Ops, weights: List[Tensor], shape: List[int], eps: float, cache: List[Tensor],
              adapters: List[Tensor], own: Tensor, tokens: Tensor, positions: Tensor, rows: Tensor,
              segments: List[int], running: int, length: int, blocks: List[int], order: Tensor) -> Tensor:
    h = shape[0]
    g = shape[1]
    d = shape[2]
    batched = shape[3] == 1
    layers = len(shape) - 4
    globals = 12 * layers
    n = tokens.size(0)
    dtype = cache[0].dtype
    x = torch.to(torch.embedding(weights[globals], tokens), dtype)  # (N, d)
    table = (self).rotary_table(positions, weights[globals + 3], dtype)
    decoding = len(segments) == 0
    mine = torch.to(own, ops.prim.device(x), 6)
    small = torch.full([1], eps, dtype=6, device=ops.prim.device(x))
    masks = annotate(Dict[int, Tensor], {})
    keys = torch.arange(0, length, dtype=4, device=ops.prim.device(x))
    addresses = (self).addresses(cache[0], rows, positions)
    for i in range(layers):
      w = 12 * i
      window = shape[4 + i]
      tuned = len(adapters) > 0
      y = (self).rms_norm(x, weights[w], small)
      qkv = (self).linear(y, weights[w + 1], weights[w + 2])  # (N, (H + 2 G) D)
      if tuned:
        qkv = (self).lora(qkv, y, adapters[8 * i], adapters[8 * i + 1], mine)
      qkv = torch.view(qkv, [n, h + 2 * g, d])
      q = torch.slice(qkv, 1, 0, h)
      if torch.numel(weights[w + 3]) > 0:
        k = torch.slice(qkv, 1, h, h + g)
        torch.copy_(q, (self).rms_norm(q, weights[w + 3], small))
        torch.copy_(k, (self).rms_norm(k, weights[w + 4], small))
      (self).rotate(torch.slice(qkv, 1, 0, h + g), table[0], table[1])
      (self).keep(cache[i], addresses, torch.slice(qkv, 1, h))
      kc, vc = torch.unbind(cache[i])
      if decoding:
        if not torch.__contains__(masks, window):
          mask = (self).visible(torch.slice(positions, 0, 0, running), keys, window, dtype)
          mask = torch.expand(torch.view(mask, [running, 1, 1, length]), [-1, g, -1, -1])
          torch._set_item(masks, window, torch.contiguous(mask))
        if len(blocks) > 0:
          y = (self).attend_blocks(q, kc, vc, masks[window], blocks, order, batched)
        else:
          y = (self).attend_rows(q, kc, vc, masks[window], length, batched)
      else:
        y = (self).attend_segments(q, kc, vc, segments, window)
      o = (self).linear(y, weights[w + 5], weights[w + 6])
      if tuned:
        o = (self).lora(o, y, adapters[8 * i + 2], adapters[8 * i + 3], mine)
      x = torch.add_(x, o)
      y = (self).rms_norm(x, weights[w + 7], small)
      gu = (self).linear(y, weights[w + 8], weights[w + 9])  # (N, 2 F)
      if tuned:
        gu = (self).lora(gu, y, adapters[8 * i + 4], adapters[8 * i + 5], mine)
      f = torch.floordiv(gu.size(1), 2)
      y = torch.mul(torch.silu(torch.slice(gu, 1, 0, f)), torch.slice(gu, 1, f))
      o = (self).linear(y, weights[w + 10], weights[w + 11])
      if tuned:
        o = (self).lora(o, y, adapters[8 * i + 6], adapters[8 * i + 7], mine)
      x = torch.add_(x, o)
    return (self).rms_norm(x, weights[globals + 1], small)

  def head(self: __torch__.Ops, x: Tensor, weights: List[Tensor]) -> Tensor:
    y = (self).linear(x, weights[len(weights) - 2], torch.empty([0]))
    return torch.to(torch.slice(y, 1, 0, weights[len(weights) - 4].size(0)), 6)

  # Generation -----------------------------------------------------------------------------------

  # numbers (N, 4): token, position, row of the cache, the token that follows. Returns float32
  # logits (last, V) of the chosen tokens, padded like any product, and where `scored` asks for it the
  # log-probability of what follows each token.
  def prefill(self: __torch__.Ops, weights: List[Tensor], shape: List[int], eps: float, cache: List[Tensor],
              adapters: List[Tensor], own: Tensor, numbers: Tensor, segments: List[int], last: Tensor,
              scored: bool) -> List[Tensor]:
    num = torch.to(numbers, ops.prim.device(cache[0]), 4)
    x = (self).decoder(weights, shape, eps, cache, adapters, own, torch.select(num, 1, 0),
                       torch.select(num, 1, 1), torch.select(num, 1, 2), segments, 0, 1,
                       annotate(List[int], []), last)
    logits = (self).head(torch.index_select(x, 0, torch.to(last, ops.prim.device(x), 4)), weights)
    out = [logits]
    if scored:
      n = x.size(0)
      next = torch.slice(num, 1, 3, 4)
      scores = annotate(List[Tensor], [])
      for i in range(torch.floordiv(n + 255, 256)):
        part = (self).head(torch.slice(x, 0, 256 * i, 256 * i + 256), weights)
        chosen = torch.gather(part, 1, torch.slice(next, 0, 256 * i, 256 * i + 256))
        scores.append(torch.sub(torch.squeeze(chosen, 1), torch.logsumexp(part, [1])))
      out.append(torch.cpu(torch.cat(scores)))
    return out

  # One token for each of the B running rows, padded to n. numbers as in prefill; draws (N, 4):
  # temperature, top p, top k, uniform in [0, 1). Returns (B, 2) float64: token, log-probability.
  def decode(self: __torch__.Ops, weights: List[Tensor], shape: List[int], eps: float, cache: List[Tensor],
             adapters: List[Tensor], own: Tensor, numbers: Tensor, draws: Tensor, n: int, running: int, length: int,
             blocks: List[int], order: Tensor, narrowed: bool, scored: bool, seen: Tensor, penalty: float) -> Tensor:
    num = torch.to(torch.slice(numbers, 0, 0, n), ops.prim.device(cache[0]), 4)
    x = (self).decoder(weights, shape, eps, cache, adapters, own, torch.select(num, 1, 0),
                       torch.select(num, 1, 1), torch.select(num, 1, 2), annotate(List[int], []), running, length,
                       blocks, order)
    logits = torch.slice((self).head(x, weights), 0, 0, running)
    return (self).sample(logits, torch.slice(draws, 0, 0, running), narrowed, scored, seen, penalty)

  # Draws from logits (N, V) float32 by inversion: the first token whose cumulative probability
  # exceeds the uniform. Rows at temperature 0 take the maximum. With `narrowed`, the distribution is
  # cut to the top k first, then to the smallest set that holds top p, in descending order; rows that ask
  # for neither are drawn as if alone. Where logits are not all finite, the token is -1. `seen` as in
  # penalize, each pair once; log-probabilities are those without the penalty.
  def sample(self: __torch__.Ops, logits: Tensor, draws: Tensor, narrowed: bool, scored: bool, seen: Tensor, penalty: float) -> Tensor:
    choice = torch.to(draws, ops.prim.device(logits), 6)
    temperature = torch.slice(choice, 1, 0, 1)
    greedy = torch.le(temperature, 0.)  # (N, 1)
    heard = logits
    if penalty != 1. and torch.numel(seen) > 0:
      heard = (self).penalize(logits, torch.to(seen, ops.prim.device(logits), 4), penalty)
    if bool(torch.all(greedy)):
      token = torch.argmax(heard, 1, True)
    else:
      token = (self).draw(heard, torch.masked_fill(temperature, greedy, 1.), choice, narrowed)
      if bool(torch.any(greedy)):
        token = torch.where(greedy, torch.argmax(heard, 1, True), token)
    token = torch.where(torch.isfinite(torch.sum(logits, [1], True)), token, -1)
    if scored:
      score = torch.sub(torch.gather(logits, 1, torch.clamp_min(token, 0)), torch.logsumexp(logits, [1], True))
    else:
      score = temperature
    return torch.cpu(torch.cat([torch.to(token, 7), torch.to(score, 7)], 1))

  # Makes tokens less likely: of `seen` (2, M), row and token each, positive logits are divided by the
  # penalty, the others multiplied (Keskar et al. 2019).
  def penalize(self: __torch__.Ops, logits: Tensor, seen: Tensor, penalty: float) -> Tensor:
    at = annotate(List[Optional[Tensor]], [torch.select(seen, 0, 0), torch.select(seen, 0, 1)])
    old = torch.index(logits, at)
    new = torch.where(torch.gt(old, 0.), torch.div(old, penalty), torch.mul(old, penalty))
    return torch.index_put(logits, at, new)

  # The drawn token (N, 1) of every row at temperatures (N, 1) above 0; choice as in sample.
  def draw(self: __torch__.Ops, logits: Tensor, temperature: Tensor, choice: Tensor, narrowed: bool) -> Tensor:
    p = torch.softmax(torch.div(logits, temperature), 1)
    u = torch.slice(choice, 1, 3, 4)
    drawn = (self).invert(p, u)
    if narrowed:
      top_p = torch.slice(choice, 1, 1, 2)
      k = torch.slice(choice, 1, 2, 3)
      cut = torch.logical_or(torch.gt(k, 0.), torch.lt(top_p, 1.))  # (N, 1)
      p, order = torch.sort(p, 1, True)
      k = torch.masked_fill(k, torch.le(k, 0.), float(logits.size(1)))
      rank = torch.arange(0, logits.size(1), dtype=6, device=ops.prim.device(p))
      p = torch.masked_fill(p, torch.ge(rank, k), 0.)
      total = torch.sum(p, [1], True)
      before = torch.sub(torch.cumsum(p, 1), p)
      p = torch.masked_fill(p, torch.ge(before, torch.mul(total, top_p)), 0.)
      drawn = torch.where(cut, torch.gather(order, 1, (self).invert(p, u)), drawn)
    return drawn

  # The index (N, 1) where the running sum of weights p (N, V) first exceeds u times the whole.
  def invert(self: __torch__.Ops, p: Tensor, u: Tensor) -> Tensor:
    sums = torch.cumsum(p, 1)
    total = torch.contiguous(torch.slice(sums, 1, -1))
    found = torch.searchsorted(sums, torch.mul(u, total), right=True)
    # A uniform so close to 1 that rounding passes the last weight takes the last one.
    lastly = torch.searchsorted(sums, total)
    return torch.minimum(found, lastly)

  # Cache ----------------------------------------------------------------------------------------

  def new_cache(self: __torch__.Ops, layers: int, rows: int, capacity: int, heads: int, width: int, dtype: int, device: str) -> List[Tensor]:
    cache = annotate(List[Tensor], [])
    for i in range(layers):
      cache.append(torch.zeros([2, rows, heads, capacity, width], dtype=dtype, device=torch.device(device)))
    return cache

  # Copies the first `count` places of row source[i] to row target[i].
  def copy_rows(self: __torch__.Ops, cache: List[Tensor], source: List[int], target: List[int], count: List[int]) -> int:
    for i in range(len(cache)):
      for j in range(len(source)):
        from_ = torch.slice(torch.select(cache[i], 1, source[j]), 2, 0, count[j])
        torch.copy_(torch.slice(torch.select(cache[i], 1, target[j]), 2, 0, count[j]), from_)
    return 0

  # Copies what fits of one cache into a larger one.
  def grow_cache(self: __torch__.Ops, old: List[Tensor], new: List[Tensor]) -> int:
    for i in range(len(old)):
      rows = min(old[i].size(1), new[i].size(1))
      part = torch.slice(torch.slice(new[i], 1, 0, rows), 3, 0, old[i].size(3))
      torch.copy_(part, torch.slice(old[i], 1, 0, rows))
    return 0

  def rows(self: __torch__.Ops, parts: List[Tensor]) -> Tensor:
    return torch.cat(parts, 0)

  def rows_from(self: __torch__.Ops, x: Tensor, first: int, end: int) -> Tensor:
    return torch.slice(x, 0, first, end)

  def pick_rows(self: __torch__.Ops, x: Tensor, index: List[int]) -> Tensor:
    return torch.index_select(x, 0, torch.to(torch.tensor(index, dtype=4), ops.prim.device(x), 4))

  # Adapters -------------------------------------------------------------------------------------

  # The a matrix of one slot: for each fused module, the down-projections (r, in) of all adapters,
  # each padded to its adapter's rank; parts are module by module, empty where an adapter leaves a
  # module alone.
  def stack_down(self: __torch__.Ops, parts: List[Tensor], ranks: List[int], width: int, like: Tensor) -> Tensor:
    count = len(ranks)
    rows = annotate(List[Tensor], [])
    for i in range(len(parts)):
      full = torch.zeros([ranks[i % count], width], dtype=like.dtype, device=ops.prim.device(like))
      if torch.numel(parts[i]) > 0:
        torch.copy_(torch.slice(full, 0, 0, parts[i].size(0)), parts[i])
      rows.append(full)
    return torch.cat(rows, 0)

  # The b matrix (sum of outs, c S) of one slot, block-diagonal over its modules, scaled; in memory
  # its columns lie one behind another.
  def stack_up(self: __torch__.Ops, parts: List[Tensor], ranks: List[int], scales: List[float], outs: List[int], like: Tensor) -> Tensor:
    count = len(ranks)
    total = 0
    for i in range(count):
      total = total + ranks[i]
    height = 0
    for i in range(len(outs)):
      height = height + outs[i]
    b = torch.zeros([height, total * len(outs)], dtype=like.dtype, device=ops.prim.device(like))
    row = 0
    column = 0
    for m in range(len(outs)):
      for j in range(count):
        part = parts[m * count + j]
        if torch.numel(part) > 0:
          block = torch.slice(torch.slice(b, 0, row, row + outs[m]), 1, column, column + part.size(1))
          torch.copy_(block, torch.mul(torch.to(part, 6), scales[m * count + j]))
        column = column + ranks[j]
      row = row + outs[m]
    return torch.t(torch.contiguous(torch.t(b)))

  def turned(self: __torch__.Ops, x: Tensor) -> Tensor:
    return torch.t(x)

  # What a row holds of its first `places` places, a multiple of 32, as weights of products in blocks: for
  # each layer keys (G, places/32, D, 32), whose product with queries are scores, and values
  # (G, D/32, places, 32), both in float32.
  def shared_prompt(self: __torch__.Ops, cache: List[Tensor], row: int, places: int) -> List[Tensor]:
    out = annotate(List[Tensor], [])
    for i in range(len(cache)):
      kept = torch.to(torch.slice(torch.select(cache[i], 1, row), 2, 0, places), 6)
      k, v = torch.unbind(kept)
      g, p, d = k.size()
      out.append(torch.contiguous(torch.transpose(torch.reshape(k, [g, -1, 32, d]), 2, 3)))
      out.append(torch.contiguous(torch.transpose(torch.reshape(v, [g, p, -1, 32]), 1, 2)))
    return out

  # One of the tensors' parts: keys or values of one row of a layer's cache.
  def part(self: __torch__.Ops, x: Tensor, which: int, row: int) -> Tensor:
    return torch.select(torch.select(x, 0, which), 0, row)

  # W + scale B A, in W's type.
  def merge(self: __torch__.Ops, w: Tensor, a: Tensor, b: Tensor, scale: float) -> Tensor:
    return torch.to(torch.add(torch.to(w, 6), torch.mul(torch.matmul(torch.to(b, 6), torch.to(a, 6)), scale)), w.dtype)

  # A copy that shares nothing with x.
  def owned(self: __torch__.Ops, x: Tensor, dtype: int, device: str) -> Tensor:
    return torch.to(x, torch.device(device), dtype, False, True)
