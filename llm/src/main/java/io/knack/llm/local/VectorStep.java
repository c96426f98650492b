package io.knack.llm.local;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.knack.llm.checkpoint.ModelConfig;
import io.knack.llm.kernel.Cpu;
import io.knack.llm.kernel.DType;
import io.knack.llm.kernel.Kernels;
import io.knack.llm.lora.PeftAdapter;
import io.knack.llm.vector.Team;
import io.knack.llm.vector.VectorMath;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * One token for every running row on a CPU: the {@code decode} kernel of kernels.py in vector
 * instructions. What an engine spends on a decode step between its products, operator by operator,
 * is here a few loops, and all threads share every part of the step.
 *
 * <p>A row's numbers are the same whatever its companions, and with any number of threads. Rows of
 * one request multiply the prompt they share together ({@link SharedPrompt}).
 */
final class VectorStep implements TokenStep, AutoCloseable {
  /** Set to false, decode steps are kernel calls. */
  static final String SWITCH = "knack.vectors";

  private static final boolean AVAILABLE = VectorMath.find().isPresent();

  /** Rows for which matrix units, which take sixteen at once, have no use. */
  private static final int FEW = 4;

  /** Probabilities that are summed in float32, before these sums are in float64. */
  private static final int DRAW_BLOCK = 256;

  private final LocalModel model;
  private final ModelConfig config;
  private final List<Worker> workers;
  private final Team team;
  private final boolean half;
  private final float scale;
  private final VectorWeights weights;
  private final NDManager owner;
  private final AtomicIntegerArray attended;
  private float[][] rotary = new float[0][];

  private @Nullable KvCache cache;
  private ByteBuffer[][] keys = new ByteBuffer[0][];
  private ByteBuffer[][] values = new ByteBuffer[0][];
  private @Nullable AdapterStack stack;
  private List<AdapterStack.@Nullable LowRank> lowRanks = List.of();

  /** Whether what is kept for rows was let go of. */
  private boolean rested = true;

  private final Map<Task, SharedPrompt> shared = new LinkedHashMap<>();
  private List<Group> groups = List.of();
  private List<Integer> singles = List.of();

  // What the threads of a step share: a row behind the other each.
  private List<Row> rows = List.of();
  private int[] firstRanks = new int[0];
  private int[] ranks = new int[0];
  private float[] choices = new float[0];
  private double[] drawn = new double[0];

  /** The residual stream (rows, d). */
  private float[] stream = new float[0];

  /** What the next product multiplies. */
  private float[] input = new float[0];

  private float[] output = new float[0];
  private float[] lowRank = new float[0];
  private float[] logits = new float[0];

  /** Rows whose samples share a prompt. */
  private record Group(SharedPrompt prompt, List<Integer> rows) {}

  /**
   * Whether a model's decode steps are best taken so: on a CPU, with matrices, and a row's keys of
   * a layer, of less than 2 GiB. A larger batch in bfloat16 is left to a processor's matrix units
   * where it has them.
   */
  static boolean suits(
      Kernels kernels, ModelConfig model, DType dtype, DType matrices, LocalOptions options) {
    if (!AVAILABLE
        || !Boolean.parseBoolean(System.getProperty(SWITCH, "true"))
        || kernels.device().isGpu()
        || dtype == DType.F16
        || (dtype == DType.BF16 && options.maxBatch() > FEW && Cpu.has("amx_bf16"))) {
      return false;
    }
    long widest = Math.max(2L * model.feedForward(), model.queryWidth() + 2L * model.keyWidth());
    long outs = Math.max(model.vocabulary(), Math.max(widest, model.hidden())) + VectorMath.BLOCK;
    long ins = Math.max(model.feedForward(), Math.max(model.hidden(), model.queryWidth()));
    long places = KvCache.step(model.maxPositions());
    return matrices.bytes() * outs * ins < Integer.MAX_VALUE
        && dtype.bytes() * places * model.keyWidth() < Integer.MAX_VALUE
        && model.headDim() % 2 == 0;
  }

  /** How its weights lie, so that both this and the kernels that read prompts can use them. */
  static Kernels.Layout layout(Kernels kernels, DType dtype) {
    return dtype == DType.BF16 && kernels.layout(dtype) == Kernels.Layout.UNPACKED_BF16
        ? Kernels.Layout.WIDENED_BLOCKS
        : Kernels.Layout.BLOCKS;
  }

  VectorStep(LocalModel model) {
    this.model = model;
    this.config = model.config();
    this.half = model.dtype() == DType.BF16;
    this.scale = (float) Math.pow(config.headDim(), -0.5);
    this.team = new Team(Kernels.threads());
    this.workers = IntStream.range(0, team.size()).mapToObj(Worker::new).toList();
    this.owner = model.kernels().manager().newSubManager();
    this.weights = new VectorWeights(model.kernels(), owner, config, model.weights());
    this.attended = new AtomicIntegerArray(config.layers());
  }

  @Override
  public void close() {
    rest();
    team.close();
    owner.close();
  }

  // A step ---------------------------------------------------------------------------------------

  @Override
  public double[] step(List<Row> running, boolean changed) {
    rows = running;
    int n = rows.size();
    prepare(changed || rested);
    rested = false;
    boolean narrowed = false;
    for (int i = 0; i < n; i++) {
      Row row = rows.get(i);
      row.choose(choices, 4 * i);
      narrowed |= row.narrowed();
      rotaryAt(row.position());
    }
    embed(n);
    for (int i = 0; i < config.layers(); i++) {
      attended.set(i, 0);
    }
    team.run(thread -> workers.get(thread).run());
    return narrowed ? narrowed() : drawn;
  }

  @Override
  public void rest() {
    shared.values().forEach(SharedPrompt::close);
    shared.clear();
    rested = true;
  }

  private void prepare(boolean changed) {
    int n = rows.size();
    KvCache now = model.cache(n, 1, n);
    if (now != cache) {
      cache = now;
      keys = new ByteBuffer[now.rows()][];
      values = new ByteBuffer[now.rows()][];
    }
    for (int i = 0; i < n; i++) {
      if (keys[i] == null) {
        keys[i] = now.bytes(model.kernels(), 0, i);
        values[i] = now.bytes(model.kernels(), 1, i);
      }
    }
    if (!changed) {
      return;
    }
    List<@Nullable PeftAdapter> adapters = new ArrayList<>();
    rows.forEach(row -> adapters.add(row.task.adapter));
    AdapterStack wanted = model.stack(adapters);
    if (wanted != stack) {
      stack = wanted;
      lowRanks = wanted.lowRanks(model.kernels());
    }
    gather(now);
    firstRanks = new int[n];
    ranks = new int[n];
    for (int i = 0; i < n; i++) {
      PeftAdapter adapter = adapters.get(i);
      if (adapter != null) {
        firstRanks[i] = wanted.firstRank(adapter);
        ranks[i] = wanted.ranks(adapter);
      }
    }
    int d = config.hidden();
    int f = config.feedForward();
    int q = config.queryWidth();
    choices = new float[4 * n];
    drawn = new double[2 * n];
    stream = atLeast(stream, n * d);
    input = atLeast(input, n * Math.max(f, Math.max(d, q)));
    VectorWeights.Layer layer = weights.layers[0];
    output =
        atLeast(
            output, n * Math.max(layer.o.padded, Math.max(layer.gateUp.padded, layer.qkv.padded)));
    lowRank = atLeast(lowRank, n * 3 * wanted.width());
    logits = atLeast(logits, n * weights.head.padded);
  }

  /** Finds the rows that share a prompt. */
  private void gather(KvCache now) {
    Map<Task, List<Integer>> sharing = new LinkedHashMap<>();
    List<Integer> others = new ArrayList<>();
    for (int i = 0; i < rows.size(); i++) {
      Task task = rows.get(i).task;
      if (SharedPrompt.suits(task, config)) {
        sharing.computeIfAbsent(task, t -> new ArrayList<>()).add(i);
      } else {
        others.add(i);
      }
    }
    shared.entrySet().stream()
        .filter(known -> !sharing.containsKey(known.getKey()))
        .forEach(known -> known.getValue().close());
    shared.keySet().retainAll(sharing.keySet());
    groups = new ArrayList<>();
    sharing.forEach(
        (task, own) ->
            groups.add(
                new Group(
                    shared.computeIfAbsent(
                        task, t -> SharedPrompt.of(model.kernels(), config, now, task, own.get(0))),
                    own)));
    singles = others;
  }

  private static float[] atLeast(float[] array, int length) {
    return array.length >= length ? array : new float[length];
  }

  /** Makes the cosines, then sines, of a position's angles; once for all steps. */
  private void rotaryAt(int position) {
    if (position >= rotary.length) {
      rotary = Arrays.copyOf(rotary, Math.max(position + 1, 2 * rotary.length));
    }
    if (rotary[position] == null) {
      int n = weights.frequencies.length;
      float[] table = new float[2 * n];
      for (int i = 0; i < n; i++) {
        double angle = position * weights.frequencies[i];
        table[i] = (float) Math.cos(angle);
        table[n + i] = (float) Math.sin(angle);
      }
      if (half) {
        workers.get(0).math.round(table, 0, 2 * n);
      }
      rotary[position] = table;
    }
  }

  /** The rows of the embedding, which may be of another type than the rest. */
  private void embed(int n) {
    int d = config.hidden();
    for (int r = 0; r < n; r++) {
      weights.embedding.row(rows.get(r).last(), stream, r * d);
    }
    if (half) {
      workers.get(0).math.round(stream, 0, n * d);
    }
  }

  /** Rows whose distribution is cut are drawn by the kernel, the others as they were. */
  private double[] narrowed() {
    List<Integer> cut = new ArrayList<>();
    for (int r = 0; r < rows.size(); r++) {
      if (rows.get(r).narrowed()) {
        cut.add(r);
      }
    }
    int vocabulary = config.vocabulary();
    float[] some = new float[cut.size() * vocabulary];
    float[] draws = new float[4 * cut.size()];
    for (int i = 0; i < cut.size(); i++) {
      System.arraycopy(logits, cut.get(i) * weights.head.padded, some, i * vocabulary, vocabulary);
      System.arraycopy(choices, 4 * cut.get(i), draws, 4 * i, 4);
    }
    try (NDManager scope = owner.newSubManager()) {
      NDArray theirs = scope.create(some, new Shape(cut.size(), vocabulary));
      NDArray choice = scope.create(draws, new Shape(cut.size(), 4));
      double[] result =
          model.kernels().tensor(scope, "sample", theirs, choice, true, true).toDoubleArray();
      for (int i = 0; i < cut.size(); i++) {
        drawn[2 * cut.get(i)] = result[2 * i];
        drawn[2 * cut.get(i) + 1] = result[2 * i + 1];
      }
    }
    return drawn;
  }

  /** A thread's part in a step. */
  private final class Worker {
    private final int thread;
    private final VectorMath math = VectorMath.find().orElseThrow();
    private float[] room = new float[0];

    Worker(int thread) {
      this.thread = thread;
    }

    /** The whole step, as each thread runs it. */
    void run() {
      int n = rows.size();
      int f = config.feedForward();
      for (int i = 0; i < config.layers(); i++) {
        VectorWeights.Layer layer = weights.layers[i];
        norms(layer.norm);
        project(layer.qkv, i, 0);
        team.meet();
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
          math.gate(output, gate, output, gate + f, input, r * f + from, to - from, half);
        }
        team.meet();
        project(layer.down, i, 3);
        addToStream(layer.down);
        team.meet();
      }
      norms(weights.lastNorm);
      VectorWeights.Projection head = weights.head;
      int from = share(head.out, thread);
      int to = share(head.out, thread + 1);
      product(head, from, to, logits);
      if (half) {
        for (int r = 0; r < n; r++) {
          math.round(logits, r * head.padded + from, to - from);
        }
      }
      team.meet();
      for (int r = thread; r < n; r += team.size()) {
        draw(r);
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
      for (int r = thread; r < rows.size(); r += team.size()) {
        math.norm(stream, r * d, weight, eps, input, r * d, d, half);
      }
      team.meet();
    }

    private float[] scratch(int length) {
      if (room.length < length) {
        room = new float[length];
      }
      return room;
    }

    // Projections
    // ----------------------------------------------------------------------------------

    /** A thread's share of a projection of all rows. */
    private void project(VectorWeights.Projection projection, int layer, int slot) {
      downProject(projection, layer, slot);
      outputs(
          projection,
          layer,
          slot,
          share(projection.out, thread),
          share(projection.out, thread + 1));
    }

    /** Outputs {@code from} to {@code to}, with bias and adapters. */
    private void outputs(
        VectorWeights.Projection projection, int layer, int slot, int from, int to) {
      product(projection, from, to, output);
      float[] bias = projection.bias;
      AdapterStack.LowRank adapters = lowRanks.isEmpty() ? null : lowRanks.get(4 * layer + slot);
      for (int r = 0; r < rows.size(); r++) {
        int at = r * projection.padded;
        if (bias != null) {
          for (int o = from; o < Math.min(to, projection.out); o++) {
            output[at + o] += bias[o];
          }
        }
        if (half) {
          math.round(output, at + from, to - from);
        }
        if (adapters != null && ranks[r] > 0) {
          upProject(projection, adapters, r, from, to);
          if (half) {
            math.round(output, at + from, to - from);
          }
        }
      }
    }

    private void product(VectorWeights.Projection projection, int from, int to, float[] y) {
      int n = rows.size();
      int first = from / VectorMath.BLOCK;
      int end = to / VectorMath.BLOCK;
      math.blocks(
          weights.stored,
          projection.weight,
          projection.in,
          first,
          end,
          input,
          0,
          y,
          0,
          projection.padded,
          n);
    }

    /** Each row's adapter takes the input down to its ranks. */
    private void downProject(VectorWeights.Projection projection, int layer, int slot) {
      if (lowRanks.isEmpty()) {
        return;
      }
      AdapterStack.LowRank adapters = lowRanks.get(4 * layer + slot);
      if (adapters != null) {
        int width = Objects.requireNonNull(stack).width();
        int in = projection.in;
        for (int r = thread; r < rows.size(); r += team.size()) {
          for (int m = 0; m < projection.modules.length; m++) {
            for (int j = 0; j < ranks[r]; j++) {
              int rank = m * width + firstRanks[r] + j;
              lowRank[r * 3 * width + rank] =
                  math.dot(input, r * in, adapters.down(), rank * in, in);
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
      int width = Objects.requireNonNull(stack).width();
      int out = projection.out;
      int[] modules = projection.modules;
      for (int m = 0; m < modules.length; m++) {
        int first = Math.max(from, modules[m]);
        int end = Math.min(to, m + 1 < modules.length ? modules[m + 1] : out);
        for (int j = 0; first < end && j < ranks[row]; j++) {
          int rank = m * width + firstRanks[row] + j;
          float z = lowRank[row * 3 * width + rank];
          math.addScaled(
              output,
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
      for (int r = 0; r < rows.size(); r++) {
        math.add(stream, r * projection.out + from, output, r * projection.padded + from, n, half);
      }
    }

    // Attention
    // ------------------------------------------------------------------------------------

    /** Attention of all rows: a key head after the other, by whichever thread is free. */
    private void attend(int layer) {
      int heads = config.kvHeads();
      int together = groups.size() * heads;
      int all = together + singles.size() * heads;
      for (int i = attended.getAndIncrement(layer); i < all; i = attended.getAndIncrement(layer)) {
        if (i < together) {
          attend(layer, groups.get(i / heads), i % heads);
        } else {
          int j = i - together;
          attend(layer, singles.get(j % singles.size()), j / singles.size());
        }
      }
    }

    /** Attention of one row for the queries that share a key head. */
    private void attend(int layer, int r, int head) {
      int d = config.headDim();
      int together = config.heads() / config.kvHeads();
      int position = rows.get(r).position();
      int queries = rotate(layer, r, head);
      int window = config.windows().get(layer);
      int low = window > 0 ? Math.max(0, position - window + 1) : 0;
      int n = position + 1 - low;
      int mixed = together * n;
      float[] space = scratch(mixed + together * d);
      math.scores(
          keys[r][layer], place(head, low), n, output, queries, together, d, space, 0, n, half);
      for (int j = 0; j < together; j++) {
        math.softmax(space, j * n, n, scale);
      }
      math.mix(values[r][layer], place(head, low), n, space, 0, n, together, space, mixed, d, half);
      publish(space, mixed, r, head);
    }

    /** The same for rows that share a prompt, of which all queries are multiplied together. */
    private void attend(int layer, Group group, int head) {
      int d = config.headDim();
      int together = config.heads() / config.kvHeads();
      int count = group.rows.size() * together;
      int places = group.prompt.places();
      int own = 0;
      for (int r : group.rows) {
        own = Math.max(own, rows.get(r).position() + 1 - places);
      }
      int y = count * places;
      int asked = y + count * d;
      int line = asked + count * d;
      float[] space = scratch(line + together * (places + own));
      for (int i = 0; i < count; i += together) {
        int queries = rotate(layer, group.rows.get(i / together), head);
        System.arraycopy(output, queries, space, asked + i * d, together * d);
      }
      math.blocks(
          DType.F32,
          group.prompt.keys(layer, head),
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
        int r = group.rows.get(i / together);
        int n = rows.get(r).position() + 1 - places;
        int begin = place(head, places);
        int queries = asked + i * d;
        int step = places + n;
        int scores = line + places;
        math.scores(
            keys[r][layer], begin, n, space, queries, together, d, space, scores, step, half);
        for (int j = 0; j < together; j++) {
          System.arraycopy(space, (i + j) * places, space, line + j * step, places);
          math.softmax(space, line + j * step, step, scale);
          System.arraycopy(space, line + j * step, space, (i + j) * places, places);
        }
        math.mix(
            values[r][layer], begin, n, space, scores, step, together, space, queries, d, half);
      }
      math.blocks(
          DType.F32,
          group.prompt.values(layer, head),
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
        publish(space, y + i * d, group.rows.get(i / together), head);
      }
    }

    /** Norms and turns queries and key of a head, keeps key and value; where the queries are. */
    private int rotate(int layer, int r, int head) {
      int d = config.headDim();
      int q = config.queryWidth();
      int together = config.heads() / config.kvHeads();
      int at = r * weights.layers[layer].qkv.padded;
      int queries = at + head * together * d;
      int key = at + q + head * d;
      int position = rows.get(r).position();
      float[] table = Objects.requireNonNull(rotary[position]);
      for (int j = 0; j < together; j++) {
        normAndRotate(queries + j * d, weights.layers[layer].queryNorm, table);
      }
      normAndRotate(key, weights.layers[layer].keyNorm, table);
      store(key, keys[r][layer], place(head, position));
      store(key + config.keyWidth(), values[r][layer], place(head, position));
      return queries;
    }

    /** The byte of a row's keys or values where a place of a head begins. */
    private int place(int head, int position) {
      int at = head * Objects.requireNonNull(cache).capacity() + position;
      return at * config.headDim() * (half ? 2 : 4);
    }

    /** What the queries of a key head found becomes input of the next product. */
    private void publish(float[] y, int yAt, int row, int head) {
      int n = config.heads() / config.kvHeads() * config.headDim();
      if (half) {
        math.round(y, yAt, n);
      }
      System.arraycopy(y, yAt, input, row * config.queryWidth() + head * n, n);
    }

    private void normAndRotate(int at, float @Nullable [] norm, float[] table) {
      int d = config.headDim();
      if (norm != null) {
        math.norm(output, at, norm, (float) config.normEpsilon(), output, at, d, half);
      }
      math.rotate(output, at, table, d / 2, half);
    }

    private void store(int from, ByteBuffer to, int at) {
      int d = config.headDim();
      for (int i = 0; i < d; i++) {
        if (half) {
          to.putShort(at + 2 * i, bits(output[from + i]));
        } else {
          to.putFloat(at + 4 * i, output[from + i]);
        }
      }
    }

    /** A bfloat16 number's bits; those below are zero. */
    private static short bits(float x) {
      return (short) (Float.floatToRawIntBits(x) >>> 16);
    }

    // Drawing
    // --------------------------------------------------------------------------------------

    /** As {@code sample} in kernels.py does it, for a row whose distribution is not cut. */
    private void draw(int r) {
      int vocabulary = config.vocabulary();
      int at = r * weights.head.padded;
      Row row = rows.get(r);
      int token = -1;
      double score = 0;
      if (math.finite(logits, at, vocabulary)) {
        float top = math.max(logits, at, vocabulary);
        float temperature = choices[4 * r];
        float[] masses = scratch(vocabulary);
        double total = 0;
        if (temperature > 0) {
          float sharpness = Math.min(Float.MAX_VALUE, 1 / temperature);
          total = weigh(at, top, sharpness, masses);
          token = pick(masses, total * choices[4 * r + 3]);
        } else {
          token = 0;
          while (logits[at + token] != top) {
            token++;
          }
        }
        if (row.task.scores()) {
          total = temperature == 1 ? total : weigh(at, top, 1, masses);
          score = logits[at + token] - top - Math.log(total);
        }
      }
      drawn[2 * r] = token;
      drawn[2 * r + 1] = score;
    }

    private double weigh(int at, float top, float scale, float[] masses) {
      double total = 0;
      for (int k = 0; k < config.vocabulary(); k += DRAW_BLOCK) {
        int n = Math.min(DRAW_BLOCK, config.vocabulary() - k);
        total += math.exponentials(logits, at + k, top, scale, masses, k, n);
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
}
