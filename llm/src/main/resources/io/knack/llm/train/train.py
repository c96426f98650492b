class Ops(Module):
  __parameters__ = []
  __buffers__ = []
  training : bool

  # The decoder's forward and backward pass by hand; see TrainKernels for the contract and symbols.
  # A packed micro-batch is T rows; rects tile it as dense rectangles of n sequences of length L.

  def rms(self, x: Tensor, w: Tensor) -> Tuple[Tensor, Tensor]:
    norm = torch.linalg_vector_norm(x, 2, [-1], True, dtype=6)
    inv = torch.rsqrt(norm * norm / x.size(-1) + $EPS).to(x.dtype)  # (T, 1)
    return torch.mul(torch.mul(x, inv), w), inv

  def rms_backward(self, dy: Tensor, x: Tensor, inv: Tensor, w: Tensor, dx: Tensor, dw: Tensor):
    # dx += inv w dy - x inv^3 mean(w dy x)
    scaled = torch.mul(dy, w)
    dot = torch.sum(torch.mul(scaled, x), [-1], True, dtype=6)  # (T, 1)
    if dw.numel() > 0:
      dw.add_(torch.sum(torch.mul(torch.mul(dy, x), inv), [0], False, dtype=6))
    i = inv.to(6)
    dx.addcmul_(scaled, inv)
    dx.addcmul_(x, (dot * i * i * i / -x.size(-1)).to(x.dtype))

  def rope(self, x: Tensor, cos: Tensor, sin: Tensor, sign: int, y: Tensor):
    # x, y (T, heads, D); cos, sin (T, 1, D/2)
    half = x.size(-1) // 2
    a = torch.slice(x, -1, 0, half)
    b = torch.slice(x, -1, half, 2 * half)
    ya = torch.slice(y, -1, 0, half)
    yb = torch.slice(y, -1, half, 2 * half)
    torch.mul(a, cos, out=ya)
    ya.addcmul_(b, sin, value=-sign)
    torch.mul(b, cos, out=yb)
    yb.addcmul_(a, sin, value=sign)

  def heads(self, x: Tensor, start: int, n: int, length: int, first: int, count: int) -> Tensor:
    # x (T, heads, D) -> (n, count, L, D)
    y = torch.narrow(torch.narrow(x, 0, start, n * length), 1, first, count)
    return torch.transpose(y.view([n, length, count, $D]), 1, 2)

  def widen(self, x: Tensor) -> Tensor:
    # (n, KV, L, D) -> (n, H, L, D)
    if $KV == $H:
      return x
    s = [x.size(0), $KV, $H // $KV, x.size(2), $D]
    return x.unsqueeze(2).expand(s).reshape([x.size(0), $H, x.size(2), $D])

  def attention(self, q: Tensor, k: Tensor, v: Tensor) -> Tuple[Tensor, Tensor]:
    # q, k, v (n, H, L, D) -> o (n, H, L, D), lse (n, H, L): causal, by blocks
    o, lse = torch._scaled_dot_product_flash_attention_for_cpu(q, k, v, 0., True)
    return o, lse

  def attention_backward(self, do: Tensor, q: Tensor, k: Tensor, v: Tensor, o: Tensor, lse: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
    gq, gk, gv = torch._scaled_dot_product_flash_attention_for_cpu_backward(do, q, k, v, o, lse, 0., True)
    return gq, gk, gv

  # The same from plain operators, for devices without these kernels: (n, H, L, L) is written out.

  def scores(self, q: Tensor, k: Tensor) -> Tensor:
    L = q.size(2)
    s = torch.matmul(q, torch.transpose(k, 2, 3)).to(6).mul_($SCALE)
    future = torch.triu(torch.ones([L, L], dtype=11, device=q.device), 1)
    return s.masked_fill_(future, -inf)

  def plain_attention(self, q: Tensor, k: Tensor, v: Tensor) -> Tuple[Tensor, Tensor]:
    s = self.scores(q, k)
    lse = torch.logsumexp(s, [-1], True)
    return torch.matmul(s.sub_(lse).exp_().to(q.dtype), v), lse

  def plain_attention_backward(self, do: Tensor, q: Tensor, k: Tensor, v: Tensor, o: Tensor, lse: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
    p = self.scores(q, k).sub_(lse).exp_()
    gv = torch.matmul(torch.transpose(p, 2, 3).to(q.dtype), do)
    delta = torch.sum(torch.mul(do, o), [-1], True, dtype=6)
    ds = torch.matmul(do, torch.transpose(v, 2, 3)).to(6).sub_(delta).mul_(p).mul_($SCALE).to(q.dtype)
    return torch.matmul(ds, k), torch.matmul(torch.transpose(ds, 2, 3), q), gv

  def attend(self, qk: Tensor, v: Tensor, rects: List[int]) -> List[Tensor]:
    # [o (T, H D), lse of each rectangle ...]
    saved = annotate(List[Tensor], [])
    y = torch.empty([qk.size(0), $H, $D], dtype=qk.dtype, device=qk.device)
    i = 0
    while i < len(rects):
      start = rects[i]
      n = rects[i + 1]
      length = rects[i + 2]
      q = self.heads(qk, start, n, length, 0, $H)
      k = self.widen(self.heads(qk, start, n, length, $H, $KV))
      u = self.widen(self.heads(v, start, n, length, 0, $KV))
      o, lse = self.$ATTENTION(q, k, u)
      self.heads(y, start, n, length, 0, $H).copy_(o)
      saved.append(lse)
      i = i + 3
    return [y.view([qk.size(0), $H * $D])] + saved

  def attend_backward(self, do: Tensor, qk: Tensor, v: Tensor, saved: List[Tensor], rects: List[int], dqk: Tensor, dv: Tensor):
    # writes dqk and dv, which are laid out as qk and v
    T = qk.size(0)
    do3 = do.view([T, $H, $D])
    o3 = saved[0].view([T, $H, $D])
    i = 0
    while i < len(rects):
      start = rects[i]
      n = rects[i + 1]
      length = rects[i + 2]
      q = self.heads(qk, start, n, length, 0, $H)
      k = self.widen(self.heads(qk, start, n, length, $H, $KV))
      u = self.widen(self.heads(v, start, n, length, 0, $KV))
      o = self.heads(o3, start, n, length, 0, $H)
      d = self.heads(do3, start, n, length, 0, $H)
      gq, gk, gv = self.$ATTENTION_backward(d, q, k, u, o, saved[1 + i // 3])
      self.heads(dqk, start, n, length, 0, $H).copy_(gq)
      if $KV == $H:
        self.heads(dqk, start, n, length, $H, $KV).copy_(gk)
        self.heads(dv, start, n, length, 0, $KV).copy_(gv)
      else:
        s = [n, $KV, $H // $KV, length, $D]
        self.heads(dqk, start, n, length, $H, $KV).copy_(torch.sum(gk.reshape(s), [2]))
        self.heads(dv, start, n, length, 0, $KV).copy_(torch.sum(gv.reshape(s), [2]))
      i = i + 3

  # LoRA: P and G are (K, N). spec[group] lists [R, A offset, modules, then (r, B offset, out start, out end) each];
  # scales[group] has the factor of each module.

  def lora(self, x: Tensor, y: Tensor, P: Tensor, spec: List[int], scales: List[float], segs: List[int]) -> Tensor:
    # y += scale B A x on each segment's rows, in place; the result is h = A x (T, R)
    R = spec[0]
    h = torch.empty([x.size(0), R], dtype=x.dtype, device=x.device)
    N = P.size(1)
    i = 0
    while i < len(segs):
      base = segs[i] * N
      start = segs[i + 1]
      rows = segs[i + 2]
      a = torch.as_strided(P, [x.size(1), R], [1, x.size(1)], base + spec[1])
      hs = torch.narrow(h, 0, start, rows)
      torch.mm(torch.narrow(x, 0, start, rows), a, out=hs)
      ys = torch.narrow(y, 0, start, rows)
      m = 0
      r0 = 0
      while m < spec[2]:
        r = spec[3 + 4 * m]
        out0 = spec[5 + 4 * m]
        outs = spec[6 + 4 * m] - out0
        b = torch.as_strided(P, [r, outs], [1, r], base + spec[4 + 4 * m])
        torch.narrow(ys, 1, out0, outs).addmm_(torch.narrow(hs, 1, r0, r), b, alpha=scales[m])
        r0 = r0 + r
        m = m + 1
      i = i + 3
    return h

  def lora_backward(self, dy: Tensor, x: Tensor, mask: Tensor, h: Tensor, dx: Tensor, P: Tensor, G: Tensor, spec: List[int], scales: List[float], segs: List[int]):
    # an empty dx is not wanted
    R = spec[0]
    N = P.size(1)
    i = 0
    while i < len(segs):
      base = segs[i] * N
      start = segs[i + 1]
      rows = segs[i + 2]
      xs = torch.narrow(x, 0, start, rows)
      hs = torch.narrow(h, 0, start, rows)
      dys = torch.narrow(dy, 0, start, rows)
      dh = torch.empty([rows, R], dtype=x.dtype, device=x.device)
      m = 0
      r0 = 0
      while m < spec[2]:
        r = spec[3 + 4 * m]
        out0 = spec[5 + 4 * m]
        outs = spec[6 + 4 * m] - out0
        b = torch.as_strided(P, [outs, r], [r, 1], base + spec[4 + 4 * m])
        gb = torch.as_strided(G, [outs, r], [r, 1], base + spec[4 + 4 * m])
        dym = torch.narrow(dys, 1, out0, outs)
        dhm = torch.narrow(dh, 1, r0, r)
        torch.mm(dym, b, out=dhm)
        if scales[m] != 1.:
          dhm.mul_(scales[m])
        self.accumulate(gb, dym, torch.narrow(hs, 1, r0, r), scales[m])
        r0 = r0 + r
        m = m + 1
      a = torch.as_strided(P, [R, x.size(1)], [x.size(1), 1], base + spec[1])
      ga = torch.as_strided(G, [R, x.size(1)], [x.size(1), 1], base + spec[1])
      self.accumulate(ga, dh, xs, 1.)
      if dx.numel() > 0:
        dxs = torch.narrow(dx, 0, start, rows)
        if mask.numel() > 0:
          dxs.addcmul_(torch.mm(dh, a), torch.narrow(mask, 0, start, rows))
        else:
          dxs.addmm_(dh, a)
      i = i + 3

  def accumulate(self, g: Tensor, dy: Tensor, x: Tensor, scale: float):
    # g += scale dy^T x, in g's precision
    if g.dtype == x.dtype:
      g.addmm_(dy.t(), x, alpha=scale)
    else:
      g.add_(torch.mm(dy.t(), x), alpha=scale)

  def linear(self, x: Tensor, w: Tensor, bias: Tensor) -> Tensor:
    if bias.numel() > 0:
      return torch.addmm(bias, x, w.t())
    return torch.mm(x, w.t())

  # w, of each layer: 0 norm, 1 qkv, 2 qkv bias, 3 q norm, 4 k norm, 5 o, 6 norm, 7 gate and up, 8 down.
  # saved, of each layer: see the return line of layer.

  def layer(self, x: Tensor, w: List[Tensor], cos: Tensor, sin: Tensor, rects: List[int], segs: List[int], P: Tensor, specs: List[List[int]], scales: List[List[float]], masks: List[Tensor]) -> List[Tensor]:
    T = x.size(0)
    none = torch.empty([0], dtype=x.dtype, device=x.device)
    n1, inv1 = self.rms(x, w[0])
    qkv = self.linear(n1, w[1], w[2])  # (T, (H + 2 KV) D)
    h1 = none
    if specs[0][0] > 0:
      h1 = self.lora(self.masked(n1, masks, 0), qkv, P, specs[0], scales[0], segs)
    heads = qkv.view([T, $H + 2 * $KV, $D])
    raw = torch.narrow(heads, 1, 0, $H + $KV)
    invq = none
    invk = none
    if w[3].numel() > 0:
      qn, invq = self.rms(torch.narrow(heads, 1, 0, $H), w[3])
      kn, invk = self.rms(torch.narrow(heads, 1, $H, $KV), w[4])
      raw = torch.cat([qn, kn], 1)
    qk = torch.empty([T, $H + $KV, $D], dtype=x.dtype, device=x.device)
    self.rope(raw, cos, sin, 1, qk)
    attended = self.attend(qk, torch.narrow(heads, 1, $H + $KV, $KV), rects)
    o = attended[0]
    x2 = torch.addmm(x, o, w[5].t())
    h2 = none
    if specs[1][0] > 0:
      h2 = self.lora(self.masked(o, masks, 1), x2, P, specs[1], scales[1], segs)
    n2, inv2 = self.rms(x2, w[6])
    gu = torch.mm(n2, w[7].t())  # (T, 2 F)
    h3 = none
    if specs[2][0] > 0:
      h3 = self.lora(self.masked(n2, masks, 2), gu, P, specs[2], scales[2], segs)
    silu = torch.silu(torch.narrow(gu, 1, 0, $F))
    act = torch.mul(silu, torch.narrow(gu, 1, $F, $F))
    y = torch.addmm(x2, act, w[8].t())
    h4 = none
    if specs[3][0] > 0:
      h4 = self.lora(self.masked(act, masks, 3), y, P, specs[3], scales[3], segs)
    return [y, x, inv1, n1, h1, qkv, invq, invk, qk, h2, x2, inv2, n2, h3, gu, silu, act, h4] + attended

  def masked(self, x: Tensor, masks: List[Tensor], i: int) -> Tensor:
    if len(masks) > 0:
      return torch.mul(x, masks[i])
    return x

  def mask(self, masks: List[Tensor], i: int, x: Tensor) -> Tensor:
    if len(masks) > 0:
      return masks[i]
    return torch.empty([0], dtype=x.dtype, device=x.device)

  def layer_backward(self, dx: Tensor, s: List[Tensor], w: List[Tensor], g: List[Tensor], cos: Tensor, sin: Tensor, rects: List[int], segs: List[int], P: Tensor, G: Tensor, specs: List[List[int]], scales: List[List[float]], masks: List[Tensor], first: bool) -> Tensor:
    # dx (T, d) is the gradient of the layer's result, and in place that of its input, which
    # nobody wants of the first layer where the embedding is frozen
    T = dx.size(0)
    full = len(g) > 0
    none = torch.empty([0], device=dx.device)
    # mlp
    dact = torch.mm(dx, w[8])
    if full:
      self.accumulate(g[8], dx, s[16], 1.)
    if specs[3][0] > 0:
      self.lora_backward(dx, self.masked(s[16], masks, 3), self.mask(masks, 3, dx), s[17], dact, P, G, specs[3], scales[3], segs)
    gu = s[14]
    dgu = torch.empty_like(gu)
    du = torch.narrow(dgu, 1, $F, $F)
    torch.mul(dact, s[15], out=du)
    dact.mul_(torch.narrow(gu, 1, $F, $F))
    dg = torch.narrow(dgu, 1, 0, $F)
    torch.silu_backward(dact, torch.narrow(gu, 1, 0, $F), grad_input=dg)
    dn = torch.mm(dgu, w[7])
    if full:
      self.accumulate(g[7], dgu, s[12], 1.)
    if specs[2][0] > 0:
      self.lora_backward(dgu, self.masked(s[12], masks, 2), self.mask(masks, 2, dx), s[13], dn, P, G, specs[2], scales[2], segs)
    self.rms_backward(dn, s[10], s[11], w[6], dx, g[6] if full else none)
    # attention
    do = torch.mm(dx, w[5])
    if full:
      self.accumulate(g[5], dx, s[18], 1.)
    if specs[1][0] > 0:
      self.lora_backward(dx, self.masked(s[18], masks, 1), self.mask(masks, 1, dx), s[9], do, P, G, specs[1], scales[1], segs)
    heads = s[5].view([T, $H + 2 * $KV, $D])
    dqk = torch.empty_like(s[8])
    dqkv = torch.empty_like(s[5])
    dheads = dqkv.view([T, $H + 2 * $KV, $D])
    self.attend_backward(do, s[8], torch.narrow(heads, 1, $H + $KV, $KV), torch.slice(s, 18), rects, dqk, torch.narrow(dheads, 1, $H + $KV, $KV))
    if w[3].numel() > 0:
      draw = torch.empty_like(dqk)
      self.rope(dqk, cos, sin, -1, draw)
      torch.narrow(dheads, 1, 0, $H + $KV).zero_()
      self.rms_backward(torch.narrow(draw, 1, 0, $H), torch.narrow(heads, 1, 0, $H), s[6], w[3], torch.narrow(dheads, 1, 0, $H), none)
      self.rms_backward(torch.narrow(draw, 1, $H, $KV), torch.narrow(heads, 1, $H, $KV), s[7], w[4], torch.narrow(dheads, 1, $H, $KV), none)
      if full:
        qhat = torch.mul(torch.narrow(heads, 1, 0, $H), s[6])
        khat = torch.mul(torch.narrow(heads, 1, $H, $KV), s[7])
        g[3].add_(torch.sum(torch.mul(qhat, torch.narrow(draw, 1, 0, $H)), [0, 1], False, dtype=6))
        g[4].add_(torch.sum(torch.mul(khat, torch.narrow(draw, 1, $H, $KV)), [0, 1], False, dtype=6))
    else:
      self.rope(dqk, cos, sin, -1, torch.narrow(dheads, 1, 0, $H + $KV))
    dn = none
    if not first or full:
      dn = torch.mm(dqkv, w[1])
    if full:
      self.accumulate(g[1], dqkv, s[3], 1.)
      if w[2].numel() > 0:
        g[2].add_(torch.sum(dqkv, [0], False, dtype=6))
    if specs[0][0] > 0:
      self.lora_backward(dqkv, self.masked(s[3], masks, 0), self.mask(masks, 0, dx), s[4], dn, P, G, specs[0], scales[0], segs)
    if not first or full:
      self.rms_backward(dn, s[1], s[2], w[0], dx, g[0] if full else none)
    return dx

  def head(self, x: Tensor, rows: Tensor, targets: Tensor, weights: Tensor, norm: Tensor, lm: Tensor, gnorm: Tensor, glm: Tensor, backward: bool) -> Tuple[Tensor, Tensor]:
    # losses (M) of the rows that count, and the gradient (T, d)
    M = rows.size(0)
    every = M == x.size(0)
    z = x
    if not every:
      z = torch.index_select(x, 0, rows)  # (M, d)
    n, inv = self.rms(z, norm)
    losses = torch.empty([M], dtype=6, device=x.device)
    dn = torch.empty_like(n)
    at = 0
    while at < M:
      c = min($CHUNK, M - at)
      hidden = torch.narrow(n, 0, at, c)
      p = torch.log_softmax(torch.mm(hidden, lm.t()), -1, dtype=6)  # (c, V)
      t = torch.narrow(targets, 0, at, c).unsqueeze(1)
      torch.narrow(losses, 0, at, c).copy_(torch.neg(torch.gather(p, 1, t)).squeeze(1))
      if backward:
        p.exp_()
        p.scatter_add_(1, t, torch.full([c, 1], -1., dtype=6, device=x.device))
        d = p.to(x.dtype)
        share = torch.narrow(weights, 0, at, c).unsqueeze(1)  # (c, 1), fp32
        torch.narrow(dn, 0, at, c).copy_(torch.mul(torch.mm(d, lm), share))
        if glm.numel() > 0:
          self.accumulate(glm, d, torch.mul(hidden, share).to(x.dtype), 1.)
      at = at + c
    dx = torch.zeros_like(x)
    if backward:
      if every:
        self.rms_backward(dn, z, inv, norm, dx, gnorm)
      else:
        dz = torch.zeros_like(z)
        self.rms_backward(dn, z, inv, norm, dz, gnorm)
        dx.index_copy_(0, rows, dz)
    return losses, dx

  def spec(self, layer: int) -> List[List[int]]:
$SPECS

  def factors(self, layer: int) -> List[List[float]]:
$FACTORS

  # w: embedding, norm, head, then nine of each layer; g is parallel to w, or empty when w is frozen.
  # P, G: LoRA weights and gradients of all adapters (K, N); N = 0 without LoRA.

  def run(self, ids: Tensor, positions: Tensor, rows: Tensor, targets: Tensor, weights: Tensor, tables: List[Tensor], rects: List[int], segs: List[int], w: List[Tensor], g: List[Tensor], P: Tensor, G: Tensor, dropout: float, seed: int, recompute: bool, backward: bool) -> Tensor:
    full = len(g) > 0
    none = torch.empty([0], device=ids.device)
    cos = torch.index_select(tables[0], 0, positions).unsqueeze(1)  # (T, 1, D/2)
    sin = torch.index_select(tables[1], 0, positions).unsqueeze(1)
    x = torch.embedding(w[0], ids)  # (T, d)
    saved = annotate(List[List[Tensor]], [])
    masks = annotate(List[List[Tensor]], [])
    i = 0
    while i < $LAYERS:
      lw = torch.slice(w, 3 + 9 * i, 12 + 9 * i)
      m = annotate(List[Tensor], [])
      if dropout > 0.:
        m = self.masks(x, dropout, seed + i)
      s = self.layer(x, lw, cos, sin, rects, segs, P, self.spec(i), self.factors(i), m)
      if backward:
        masks.append(m)
        if recompute:
          saved.append([x])
        else:
          saved.append(s)
      x = s[0]
      i = i + 1
    losses, dx = self.head(x, rows, targets, weights, w[1], w[2], g[1] if full else none, g[2] if full else none, backward)
    if backward:
      i = $LAYERS - 1
      while i >= 0:
        lw = torch.slice(w, 3 + 9 * i, 12 + 9 * i)
        lg = annotate(List[Tensor], [])
        if full:
          lg = torch.slice(g, 3 + 9 * i, 12 + 9 * i)
        s = saved.pop()
        m = masks.pop()
        if recompute:
          s = self.layer(s[0], lw, cos, sin, rects, segs, P, self.spec(i), self.factors(i), m)
        dx = self.layer_backward(dx, s, lw, lg, cos, sin, rects, segs, P, G, self.spec(i), self.factors(i), m, i == 0)
        i = i - 1
      if full:
        g[0].add_(torch.embedding_dense_backward(dx, ids, w[0].size(0), -1, False))
    return losses

  def masks(self, x: Tensor, p: float, seed: int) -> List[Tensor]:
    generator = torch.Generator(device=x.device, seed=seed)
    out = annotate(List[Tensor], [])
    for width in [x.size(1), $H * $D, x.size(1), $F]:
      m = torch.empty([x.size(0), width], dtype=x.dtype, device=x.device)
      out.append(m.bernoulli_(1. - p, generator=generator).div_(1. - p))
    return out

  # Weights live in one flat vector, so that the optimizer is one call and a checkpoint one tensor.

  def views(self, flat: Tensor, offsets: List[int], rows: List[int], columns: List[int]) -> List[Tensor]:
    # columns 0 makes a vector; rows 0 an absent weight
    out = annotate(List[Tensor], [])
    i = 0
    while i < len(offsets):
      v = torch.narrow(flat.view([-1]), 0, offsets[i], rows[i] * max(1, columns[i]))
      if columns[i] > 0:
        v = v.view([rows[i], columns[i]])
      out.append(v)
      i = i + 1
    return out

  def zeros_like_as(self, x: Tensor, code: int) -> Tensor:
    return torch.zeros_like(x, dtype=code)

  def copy_into(self, to: Tensor, x: Tensor):
    to.copy_(x)

  def norm(self, own: Tensor, others: List[Tensor]) -> Tensor:
    # adds the other workers' gradients of one adapter to its own, in order, and zeroes them
    i = 0
    while i < len(others):
      own.add_(others[i])
      others[i].zero_()
      i = i + 1
    return torch.linalg_vector_norm(own, 2, None, False)

  def part(self, x: Tensor, row: int, first: int, count: int) -> List[Tensor]:
    return [torch.narrow(torch.select(x, 0, row), 0, first, count)]

  def row(self, x: Tensor, row: int) -> Tensor:
    return torch.select(x, 0, row)

  def adamw(self, p: List[Tensor], g: List[Tensor], m: List[Tensor], s: List[Tensor], done: int, lr: float, beta1: float, beta2: float, epsilon: float, decay: float, clip: float):
    # One step after `done` earlier ones; the gradient is divided by clip. The lists come from outside: an
    # update of a list made here would be taken for dead code.
    step = torch.full([], done + 1., dtype=6, device=p[0].device)
    if clip == 1.:
      torch._fused_adamw_(p, g, m, s, annotate(List[Tensor], []), [step], lr=lr, beta1=beta1, beta2=beta2, weight_decay=decay, eps=epsilon, amsgrad=False, maximize=False, grad_scale=None, found_inf=None)
    else:
      divisor = torch.full([], clip, dtype=6, device=p[0].device)
      torch._fused_adamw_(p, g, m, s, annotate(List[Tensor], []), [step], lr=lr, beta1=beta1, beta2=beta2, weight_decay=decay, eps=epsilon, amsgrad=False, maximize=False, grad_scale=divisor, found_inf=None)

  def zero(self, x: Tensor):
    x.zero_()

  def cast(self, x: Tensor, code: int) -> Tensor:
    return x.to(code)

  def to_host(self, x: Tensor) -> Tensor:
    return x.detach().to(device=torch.device("cpu"), dtype=6)

  def join(self, parts: List[Tensor]) -> Tensor:
    return torch.cat(parts, 0)
