package io.knack.llm.local;

import io.knack.llm.checkpoint.ModelConfig;
import io.knack.llm.kernel.DType;
import io.knack.llm.vector.Team;
import io.knack.llm.vector.VectorMath;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** A thread's part in a pass of {@link VectorDecoder}. */
final class VectorWorker {
  /** Probabilities that are summed in float32, before these sums are in float64. */
  private static final int DRAW_BLOCK = 256;

  private final VectorDecoder pass;
  private final int thread;
  private final VectorMath math = VectorMath.find().orElseThrow();
  private final ModelConfig config;
  private final VectorWeights weights;
  private final boolean half;
  private final Team team;
  private float[] room = new float[0];

  VectorWorker(VectorDecoder pass, int thread) {
    this.pass = pass;
    this.thread = thread;
    this.config = pass.config;
    this.weights = pass.weights;
    this.half = pass.half;
    this.team = pass.team;
  }

  /** Rounds to bfloat16. */
  void round(float[] x, int n) {
    math.round(x, 0, n);
  }

  /** The whole pass, as each thread runs it. */
  void run() {
    int n = pass.size;
    int f = config.feedForward();
    for (int i = 0; i < config.layers(); i++) {
      VectorWeights.Layer layer = weights.layers[i];
      norms(layer.norm);
      project(layer.qkv, i, 0);
      team.meet();
      if (pass.prompts) {
        keep(i);
        team.meet();
      }
      attend(i);
      team.meet();
      project(layer.o, i, 1);
      addToStream(layer.o);
      team.meet();
      norms(layer.secondNorm);
      project(layer.gateUp, i, 2);
      team.meet();
      int from = Math.min(f, share(f, thread));
      int to = Math.min(f, share(f, thread + 1));
      for (int r = 0; r < n; r++) {
        int gate = r * layer.gateUp.padded + from;
        math.gate(
            pass.output, gate, pass.output, gate + f, pass.input, r * f + from, to - from, half);
      }
      team.meet();
      project(layer.down, i, 3);
      addToStream(layer.down);
      team.meet();
    }
    predict();
  }

  /** Logits of the tokens that they are wanted of, and what is drawn from them. */
  private void predict() {
    int n = pass.wanted.length;
    if (n == 0) {
      return;
    }
    int d = config.hidden();
    float eps = (float) config.normEpsilon();
    for (int i = thread; i < n; i += team.size()) {
      math.norm(pass.stream, pass.wanted[i] * d, weights.lastNorm, eps, pass.input, i * d, d, half);
    }
    team.meet();
    VectorWeights.Projection head = weights.head;
    int from = share(head.out, thread);
    int to = share(head.out, thread + 1);
    product(head, from, to, pass.logits, n);
    if (half) {
      for (int i = 0; i < n; i++) {
        math.round(pass.logits, i * head.padded + from, to - from);
      }
    }
    team.meet();
    for (int i = thread; i < n && pass.choices.length > 0; i += team.size()) {
      draw(i);
    }
  }

  /** Where a thread's share of outputs begins: with a block, the last of which may be padded. */
  private int share(int outs, int of) {
    int blocks = (outs + VectorMath.BLOCK - 1) / VectorMath.BLOCK;
    return (int) ((long) blocks * of / team.size()) * VectorMath.BLOCK;
  }

  /** Normed rows of the stream become the input of the next product. */
  private void norms(float[] weight) {
    int d = config.hidden();
    float eps = (float) config.normEpsilon();
    for (int r = thread; r < pass.size; r += team.size()) {
      math.norm(pass.stream, r * d, weight, eps, pass.input, r * d, d, half);
    }
    team.meet();
  }

  private float[] scratch(int length) {
    if (room.length < length) {
      room = new float[length];
    }
    return room;
  }

  // Projections -----------------------------------------------------------------------------------

  /** A thread's share of a projection of all rows. */
  private void project(VectorWeights.Projection projection, int layer, int slot) {
    downProject(projection, layer, slot);
    outputs(
        projection, layer, slot, share(projection.out, thread), share(projection.out, thread + 1));
  }

  /** Outputs {@code from} to {@code to}, with bias and adapters. */
  private void outputs(VectorWeights.Projection projection, int layer, int slot, int from, int to) {
    product(projection, from, to, pass.output, pass.size);
    float[] bias = projection.bias;
    AdapterStack.LowRank adapters = pass.adapted ? pass.lowRanks.get(4 * layer + slot) : null;
    for (int r = 0; r < pass.size; r++) {
      int at = r * projection.padded;
      if (bias != null) {
        for (int o = from; o < Math.min(to, projection.out); o++) {
          pass.output[at + o] += bias[o];
        }
      }
      if (half) {
        math.round(pass.output, at + from, to - from);
      }
      if (adapters != null && pass.ranks[r] > 0) {
        upProject(projection, adapters, r, from, to);
        if (half) {
          math.round(pass.output, at + from, to - from);
        }
      }
    }
  }

  private void product(VectorWeights.Projection projection, int from, int to, float[] y, int n) {
    int first = from / VectorMath.BLOCK;
    int end = to / VectorMath.BLOCK;
    math.blocks(
        weights.stored,
        projection.weight,
        projection.in,
        first,
        end,
        pass.input,
        0,
        y,
        0,
        projection.padded,
        n);
  }

  /** Each row's adapter takes the input down to its ranks. */
  private void downProject(VectorWeights.Projection projection, int layer, int slot) {
    if (!pass.adapted) {
      return;
    }
    AdapterStack.LowRank adapters = pass.lowRanks.get(4 * layer + slot);
    if (adapters != null) {
      int width = Objects.requireNonNull(pass.stack).width();
      int in = projection.in;
      for (int r = thread; r < pass.size; r += team.size()) {
        for (int m = 0; m < projection.modules.length; m++) {
          for (int j = 0; j < pass.ranks[r]; j++) {
            int rank = m * width + pass.firstRanks[r] + j;
            pass.lowRank[r * 3 * width + rank] =
                math.dot(pass.input, r * in, adapters.down(), rank * in, in);
          }
        }
      }
    }
    team.meet();
  }

  private void upProject(
      VectorWeights.Projection projection,
      AdapterStack.LowRank adapters,
      int row,
      int from,
      int to) {
    int width = Objects.requireNonNull(pass.stack).width();
    int out = projection.out;
    int[] modules = projection.modules;
    for (int m = 0; m < modules.length; m++) {
      int first = Math.max(from, modules[m]);
      int end = Math.min(to, m + 1 < modules.length ? modules[m + 1] : out);
      for (int j = 0; first < end && j < pass.ranks[row]; j++) {
        int rank = m * width + pass.firstRanks[row] + j;
        float z = pass.lowRank[row * 3 * width + rank];
        math.addScaled(
            pass.output,
            row * projection.padded + first,
            adapters.up(),
            rank * out + first,
            z,
            end - first);
      }
    }
  }

  private void addToStream(VectorWeights.Projection projection) {
    int from = share(projection.out, thread);
    int n = Math.min(projection.out, share(projection.out, thread + 1)) - from;
    for (int r = 0; r < pass.size; r++) {
      math.add(
          pass.stream,
          r * projection.out + from,
          pass.output,
          r * projection.padded + from,
          n,
          half);
    }
  }

  // Attention -------------------------------------------------------------------------------------

  /** Makes the queries of a prompt's tokens ready, and keeps keys and values for those behind. */
  private void keep(int layer) {
    for (int i = thread; i < pass.size; i += team.size()) {
      for (int head = 0; head < config.kvHeads(); head++) {
        rotate(layer, i, head);
      }
    }
  }

  /** Attention of all tokens: a key head after the other, by whichever thread is free. */
  private void attend(int layer) {
    int heads = config.kvHeads();
    int tokens = pass.singles.length;
    int together = pass.groups.size() * heads;
    int all = together + tokens * heads;
    for (int i = next(layer); i < all; i = next(layer)) {
      if (i < together) {
        attend(layer, pass.groups.get(i / heads), i % heads);
      } else {
        int j = i - together;
        attend(layer, pass.singles[j % tokens], j / tokens);
      }
    }
  }

  private int next(int layer) {
    return pass.attended.getAndIncrement(layer);
  }

  /** Attention of one token for the queries that share a key head. */
  private void attend(int layer, int r, int head) {
    int d = config.headDim();
    int together = config.heads() / config.kvHeads();
    int position = pass.positions[r];
    if (!pass.prompts) {
      rotate(layer, r, head);
    }
    int queries = queries(layer, r, head);
    int window = config.windows().get(layer);
    int low = window > 0 ? Math.max(0, position - window + 1) : 0;
    int n = position + 1 - low;
    int mixed = together * n;
    float[] space = scratch(mixed + together * d);
    math.scores(
        keys(r, layer),
        pass.place(head, low),
        n,
        pass.output,
        queries,
        together,
        d,
        space,
        0,
        n,
        half);
    for (int j = 0; j < together; j++) {
      math.softmax(space, j * n, n, pass.scale);
    }
    math.mix(
        values(r, layer), pass.place(head, low), n, space, 0, n, together, space, mixed, d, half);
    publish(space, mixed, r, head);
  }

  /** The same for rows that share a prompt, of which all queries are multiplied together. */
  private void attend(int layer, SharedPrompt.Group group, int head) {
    int d = config.headDim();
    int together = config.heads() / config.kvHeads();
    int count = group.rows().size() * together;
    int places = group.prompt().places();
    int own = 0;
    for (int r : group.rows()) {
      own = Math.max(own, pass.positions[r] + 1 - places);
    }
    int y = count * places;
    int asked = y + count * d;
    int line = asked + count * d;
    float[] space = scratch(line + together * (places + own));
    for (int i = 0; i < count; i += together) {
      int r = group.rows().get(i / together);
      rotate(layer, r, head);
      System.arraycopy(pass.output, queries(layer, r, head), space, asked + i * d, together * d);
    }
    math.blocks(
        DType.F32,
        group.prompt().keys(layer, head),
        d,
        0,
        places / 32,
        space,
        asked,
        space,
        0,
        places,
        count);
    for (int i = 0; i < count; i += together) {
      int r = group.rows().get(i / together);
      int n = pass.positions[r] + 1 - places;
      int begin = pass.place(head, places);
      int queries = asked + i * d;
      int step = places + n;
      int scores = line + places;
      math.scores(keys(r, layer), begin, n, space, queries, together, d, space, scores, step, half);
      for (int j = 0; j < together; j++) {
        System.arraycopy(space, (i + j) * places, space, line + j * step, places);
        math.softmax(space, line + j * step, step, pass.scale);
        System.arraycopy(space, line + j * step, space, (i + j) * places, places);
      }
      math.mix(values(r, layer), begin, n, space, scores, step, together, space, queries, d, half);
    }
    math.blocks(
        DType.F32,
        group.prompt().values(layer, head),
        places,
        0,
        d / 32,
        space,
        0,
        space,
        y,
        d,
        count);
    math.add(space, y, space, asked, count * d, false);
    for (int i = 0; i < count; i += together) {
      publish(space, y + i * d, group.rows().get(i / together), head);
    }
  }

  /** Where in the output the queries of a key head are. */
  private int queries(int layer, int r, int head) {
    int together = config.heads() / config.kvHeads();
    return r * weights.layers[layer].qkv.padded + head * together * config.headDim();
  }

  /** Norms and turns queries and key of a head, keeps key and value. */
  private void rotate(int layer, int r, int head) {
    int d = config.headDim();
    int q = config.queryWidth();
    int together = config.heads() / config.kvHeads();
    int queries = queries(layer, r, head);
    int key = r * weights.layers[layer].qkv.padded + q + head * d;
    int position = pass.positions[r];
    float[] table = Objects.requireNonNull(pass.rotary[position]);
    for (int j = 0; j < together; j++) {
      normAndRotate(queries + j * d, weights.layers[layer].queryNorm, table);
    }
    normAndRotate(key, weights.layers[layer].keyNorm, table);
    int place = pass.place(head, position);
    store(key, keys(r, layer), place);
    store(key + config.keyWidth(), values(r, layer), place);
  }

  private ByteBuffer keys(int token, int layer) {
    return pass.keys[pass.rows[token]][layer];
  }

  private ByteBuffer values(int token, int layer) {
    return pass.values[pass.rows[token]][layer];
  }

  /** What the queries of a key head found becomes input of the next product. */
  private void publish(float[] y, int yAt, int row, int head) {
    int n = config.heads() / config.kvHeads() * config.headDim();
    if (half) {
      math.round(y, yAt, n);
    }
    System.arraycopy(y, yAt, pass.input, row * config.queryWidth() + head * n, n);
  }

  private void normAndRotate(int at, float @Nullable [] norm, float[] table) {
    int d = config.headDim();
    if (norm != null) {
      math.norm(pass.output, at, norm, (float) config.normEpsilon(), pass.output, at, d, half);
    }
    math.rotate(pass.output, at, table, d / 2, half);
  }

  private void store(int from, ByteBuffer to, int at) {
    int d = config.headDim();
    for (int i = 0; i < d; i++) {
      if (half) {
        to.putShort(at + 2 * i, bits(pass.output[from + i]));
      } else {
        to.putFloat(at + 4 * i, pass.output[from + i]);
      }
    }
  }

  /** A bfloat16 number's bits; those below are zero. */
  private static short bits(float x) {
    return (short) (Float.floatToRawIntBits(x) >>> 16);
  }

  // Drawing ---------------------------------------------------------------------------------------

  /** As {@code sample} in kernels.py does it, for a row whose distribution is not cut. */
  private void draw(int r) {
    int vocabulary = config.vocabulary();
    int at = r * weights.head.padded;
    Row row = pass.drawing.get(r);
    int token = -1;
    double score = 0;
    if (math.finite(pass.logits, at, vocabulary)) {
      float[] masses = scratch(vocabulary);
      float temperature = pass.choices[4 * r];
      boolean penalized = pass.repetitionPenalty != 1;
      float[] own = penalized ? Arrays.copyOfRange(pass.logits, at, at + vocabulary) : masses;
      if (penalized) {
        penalize(row.seen(), at);
      }
      float top = math.max(pass.logits, at, vocabulary);
      double total = 0;
      if (temperature > 0) {
        total = weigh(at, top, Math.min(Float.MAX_VALUE, 1 / temperature), masses);
        token = pick(masses, total * pass.choices[4 * r + 3]);
      } else {
        token = 0;
        while (pass.logits[at + token] != top) {
          token++;
        }
      }
      if (penalized) {
        System.arraycopy(own, 0, pass.logits, at, vocabulary);
        top = math.max(pass.logits, at, vocabulary);
      }
      if (row.task.scores()) {
        total = temperature == 1 && !penalized ? total : weigh(at, top, 1, masses);
        score = pass.logits[at + token] - top - Math.log(total);
      }
    }
    pass.drawn[2 * r] = token;
    pass.drawn[2 * r + 1] = score;
  }

  private void penalize(BitSet seen, int at) {
    for (int token = seen.nextSetBit(0); token >= 0; token = seen.nextSetBit(token + 1)) {
      float logit = pass.logits[at + token];
      pass.logits[at + token] =
          logit > 0 ? logit / pass.repetitionPenalty : logit * pass.repetitionPenalty;
    }
  }

  private double weigh(int at, float top, float sharpness, float[] masses) {
    double total = 0;
    for (int k = 0; k < config.vocabulary(); k += DRAW_BLOCK) {
      int n = Math.min(DRAW_BLOCK, config.vocabulary() - k);
      total += math.exponentials(pass.logits, at + k, top, sharpness, masses, k, n);
    }
    return total;
  }

  /** The first index at which the running sum exceeds a number; the last of any weight else. */
  private int pick(float[] masses, double sought) {
    double sum = 0;
    int last = 0;
    for (int k = 0; k < config.vocabulary(); k++) {
      sum += masses[k];
      if (masses[k] > 0) {
        last = k;
        if (sum > sought) {
          return k;
        }
      }
    }
    return last;
  }
}
