package io.knack.llm.local;

import ai.djl.ndarray.NDManager;
import io.knack.llm.checkpoint.ModelConfig;
import io.knack.llm.kernel.Cpu;
import io.knack.llm.kernel.DType;
import io.knack.llm.kernel.Kernels;
import io.knack.llm.lora.PeftAdapter;
import io.knack.llm.vector.Team;
import io.knack.llm.vector.VectorMath;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * A decoder's blocks on a CPU in vector instructions: what {@code decode} and {@code prefill} of
 * kernels.py do. What an engine spends between its products, operator by operator, is here a few
 * loops, and all threads share every part of a pass ({@link VectorWorker}).
 *
 * <p>A token's numbers are the same whatever goes through the blocks with it, and with any number
 * of threads. A pass is described by the fields below, then {@link #run}.
 */
final class VectorDecoder implements AutoCloseable {
  /** Set to false, everything is kernel calls. */
  static final String SWITCH = "knack.vectors";

  /** Tokens that go through the blocks at once, at most, when prompts are read. */
  static final int CHUNK = 64;

  /**
   * The longest prompt that is read so. The kernels' products of many rows are faster, but lay the
   * weights out anew for every pass.
   */
  static final int LONGEST_PROMPT = Cpu.has("avx512f") ? 16 : 32;

  private static final boolean AVAILABLE = Cpu.fuses() && VectorMath.find().isPresent();

  /** Rows for which matrix units, which take sixteen at once, have no use. */
  private static final int FEW = 4;

  final Kernels kernels;
  final ModelConfig config;
  final boolean half;
  final float scale;
  final VectorWeights weights;
  final Team team;
  private final LocalModel model;
  private final List<VectorWorker> workers;
  private final NDManager owner;

  /** Of each block the next piece of attention that no thread has taken. */
  final AtomicIntegerArray attended;

  // The tokens of a pass, and the row of the cache that each belongs to.
  int size;
  int[] tokens = new int[0];
  int[] positions = new int[0];
  int[] rows = new int[0];

  /** Whether a row may have several tokens, which see those before them. */
  boolean prompts;

  /** Tokens whose logits are wanted. */
  int[] wanted = new int[0];

  /** Tokens that share a prompt, and those that do not. */
  List<SharedPrompt.Group> groups = List.of();

  int[] singles = new int[0];

  /** How tokens are drawn from the logits: see {@link Row#choose}; none where they are not. */
  float[] choices = new float[0];

  /** The rows that they are drawn for. */
  List<Row> drawing = List.of();

  /** See {@link LocalModel#repetitionPenalty}. */
  final float repetitionPenalty;

  /**
   * Of each wanted token the one that follows, -1 for logits that are not finite, and its score.
   */
  double[] drawn = new double[0];

  // Adapters, where a token of the pass has one.
  boolean adapted;
  @Nullable AdapterStack stack;
  List<AdapterStack.@Nullable LowRank> lowRanks = List.of();
  int[] firstRanks = new int[0];
  int[] ranks = new int[0];

  // What the threads share, a token behind the other: the residual stream (tokens, d), what the
  // next product multiplies, and what it gives.
  float[] stream = new float[0];
  float[] input = new float[0];
  float[] output = new float[0];
  float[] lowRank = new float[0];
  float[] logits = new float[0];

  /** Cosines, then sines, of the angles of each position that was met. */
  float[][] rotary = new float[0][];

  private @Nullable KvCache cache;

  /** Of a row of the cache, then of a block: (G, capacity, D). */
  ByteBuffer[][] keys = new ByteBuffer[0][];

  ByteBuffer[][] values = new ByteBuffer[0][];

  /**
   * Whether a model is best run so: on a CPU, with matrices, and a row's keys of a layer, of less
   * than 2 GiB. A larger batch in bfloat16 is left to a processor's matrix units where it has them.
   *
   * @param matrices what matrices would be kept in
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

  VectorDecoder(LocalModel model) {
    this.model = model;
    this.kernels = model.kernels();
    this.config = model.config();
    this.half = model.dtype() == DType.BF16;
    this.scale = (float) Math.pow(config.headDim(), -0.5);
    this.repetitionPenalty = (float) model.repetitionPenalty();
    this.owner = kernels.manager().newSubManager();
    this.weights = new VectorWeights(kernels, owner, config, model.weights());
    this.attended = new AtomicIntegerArray(config.layers());
    this.team = new Team(Kernels.threads());
    this.workers =
        IntStream.range(0, team.size()).mapToObj(i -> new VectorWorker(this, i)).toList();
  }

  @Override
  public void close() {
    team.close();
    owner.close();
  }

  /** Begins to describe a pass of so many tokens over a cache. */
  void begin(int count, KvCache over) {
    size = count;
    if (over != cache) {
      cache = over;
      keys = new ByteBuffer[over.rows()][];
      values = new ByteBuffer[over.rows()][];
    }
    if (tokens.length < count) {
      tokens = new int[count];
      positions = new int[count];
      rows = new int[count];
    }
  }

  /** Describes a token of the pass. */
  void token(int index, int token, int position, int row) {
    tokens[index] = token;
    positions[index] = position;
    rows[index] = row;
    if (keys[row] == null) {
      KvCache of = Objects.requireNonNull(cache);
      keys[row] = of.bytes(kernels, 0, row);
      values[row] = of.bytes(kernels, 1, row);
    }
    rotaryAt(position);
  }

  /**
   * Sets the adapters of the pass's tokens. Others in the stack cost nothing: each has its ranks.
   */
  void adapters(List<@Nullable PeftAdapter> ofTokens) {
    adapted = ofTokens.stream().anyMatch(Objects::nonNull);
    firstRanks = new int[size];
    ranks = new int[size];
    if (!adapted) {
      return;
    }
    AdapterStack used = model.stackWith(ofTokens);
    if (used != stack) {
      stack = used;
      lowRanks = used.lowRanks(kernels);
    }
    for (int i = 0; i < size; i++) {
      PeftAdapter adapter = ofTokens.get(i);
      if (adapter != null) {
        firstRanks[i] = used.firstRank(adapter);
        ranks[i] = used.ranks(adapter);
      }
    }
    lowRank = atLeast(lowRank, size * 3 * used.width());
  }

  /** The pass. */
  void run() {
    int d = config.hidden();
    int f = config.feedForward();
    int q = config.queryWidth();
    VectorWeights.Layer layer = weights.layers[0];
    int widest = Math.max(layer.o.padded, Math.max(layer.gateUp.padded, layer.qkv.padded));
    stream = atLeast(stream, size * d);
    input = atLeast(input, size * Math.max(f, Math.max(d, q)));
    output = atLeast(output, size * widest);
    logits = atLeast(logits, wanted.length * weights.head.padded);
    for (int i = 0; i < size; i++) {
      weights.embedding.row(tokens[i], stream, i * d);
    }
    if (half) {
      workers.get(0).round(stream, size * d);
    }
    for (int i = 0; i < config.layers(); i++) {
      attended.set(i, 0);
    }
    team.run(thread -> workers.get(thread).run());
  }

  /** The byte of a row's keys or values where a place of a head begins. */
  int place(int head, int position) {
    int at = head * Objects.requireNonNull(cache).capacity() + position;
    return at * config.headDim() * (half ? 2 : 4);
  }

  private static float[] atLeast(float[] array, int length) {
    return array.length >= length ? array : new float[length];
  }

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
        workers.get(0).round(table, 2 * n);
      }
      rotary[position] = table;
    }
  }
}
