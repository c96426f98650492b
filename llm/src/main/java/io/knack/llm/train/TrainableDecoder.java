package io.knack.llm.train;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.jni.IValue;
import io.knack.llm.checkpoint.ModelConfig;
import io.knack.llm.kernel.DType;
import io.knack.llm.kernel.Kernels;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Weights under training, their gradients and their optimizer: K rows of N numbers each. A row is
 * one LoRA adapter, or (K = 1) all weights of a decoder. Used by one thread at a time; inside, the
 * micro-batches of a step run on workers.
 *
 * <p>Everything trained lies in one flat fp32 matrix, so that a step's optimizer is a handful of
 * calls, a checkpoint three tensors, and an adapter's clipping, schedule and state its own. The
 * passes are written out by hand in {@code train.py}: no graph is recorded, frozen weights have no
 * gradient, and what the backward pass needs is chosen, not collected.
 */
public final class TrainableDecoder implements AutoCloseable {
  private final Kernels kernels;
  private final NDManager manager;
  private final ModelConfig shape;
  private final Compute compute;
  private final int adapters;
  private final int size;
  private final int decayed;
  private final boolean full;
  private final ExecutorService pool;

  private final NDArray master; // (K, N) fp32
  private final NDArray working; // (K, N) in the arithmetic's type; the master itself in fp32
  private final NDArray first; // (K, N) AdamW's moments
  private final NDArray second;
  private final List<NDArray> gradients = new ArrayList<>(); // (K, N) of each worker
  private final List<IValue> gradientViews = new ArrayList<>();
  private final boolean[][] touched; // worker, adapter: has a gradient in this step
  private final int[] home; // of each adapter, the worker whose gradient holds the sum
  private final IValue weights;
  private final IValue tables;
  private final List<Row> rows = new ArrayList<>(); // of each adapter
  private final List<IValue> owned = new ArrayList<>();

  /** All weights of a decoder, from {@code initial} in the order of {@link FlatWeights}. */
  public static TrainableDecoder full(ModelConfig shape, Compute compute, float[] initial) {
    return new TrainableDecoder(shape, compute, null, null, new float[][] {initial}, null);
  }

  /**
   * LoRA adapters over frozen weights.
   *
   * @param frozen as {@link Slot#of} lists them, on the device and in the compute type
   * @param initial one row per adapter, in the order of the layout
   */
  public static TrainableDecoder lora(
      ModelConfig shape,
      Compute compute,
      FrozenWeights frozen,
      LoraLayout layout,
      float[][] initial) {
    return new TrainableDecoder(shape, compute, frozen, layout, initial, null);
  }

  /**
   * @param attention null for what suits the device
   */
  TrainableDecoder(
      ModelConfig shape,
      Compute compute,
      @Nullable FrozenWeights frozen,
      @Nullable LoraLayout layout,
      float[][] initial,
      TrainingKernels.@Nullable Attention attention) {
    this.shape = shape;
    this.compute = compute;
    this.full = layout == null;
    this.adapters = initial.length;
    this.size = initial[0].length;
    Device device = Kernels.device(compute.device());
    this.kernels =
        TrainingKernels.load(
            device,
            shape,
            layout,
            attention == null ? TrainingKernels.Attention.on(device) : attention);
    this.manager = kernels.manager().newSubManager(device);
    kernels.gradients(Kernels.Gradients.OFF);
    this.pool = Executors.newFixedThreadPool(compute.workers(), worker());

    this.master = manager.create(flatten(initial), new Shape(adapters, size));
    this.first = manager.zeros(new Shape(adapters, size));
    this.second = manager.zeros(new Shape(adapters, size));
    this.working =
        compute.arithmetic() == DType.F32
            ? master
            : kernels.tensor(
                manager, "zeros_like_as", master, (long) compute.arithmetic().torchCode());
    this.touched = new boolean[compute.workers()][adapters];
    this.home = new int[adapters];
    for (int i = 0; i < compute.workers(); i++) {
      gradients.add(manager.zeros(new Shape(adapters, size)));
    }
    if (layout == null) {
      FlatWeights flat = FlatWeights.of(shape);
      this.decayed = flat.decayed();
      this.weights = own(flat.views(kernels, working));
      gradients.forEach(g -> gradientViews.add(own(flat.views(kernels, g))));
    } else {
      this.decayed = size;
      this.weights = own(Kernels.list(java.util.Objects.requireNonNull(frozen).tensors()));
      IValue none = own(Kernels.list(List.of()));
      gradients.forEach(g -> gradientViews.add(none));
    }
    this.tables = own(tables());
    for (int i = 0; i < adapters; i++) {
      rows.add(new Row(i));
      rows.get(i).refresh();
    }
  }

  private IValue own(IValue value) {
    owned.add(value);
    return value;
  }

  private java.util.concurrent.ThreadFactory worker() {
    return work -> {
      Thread thread =
          new Thread(
              () -> {
                Kernels.threads(1);
                kernels.gradients(Kernels.Gradients.OFF);
                work.run();
              },
              "knack-training");
      thread.setDaemon(true);
      return thread;
    };
  }

  private IValue tables() {
    int half = shape.headDim() / 2;
    float[] frequencies = shape.inverseFrequencies();
    int positions = shape.maxPositions();
    float[] cos = new float[positions * half];
    float[] sin = new float[cos.length];
    for (int p = 0; p < positions; p++) {
      for (int i = 0; i < half; i++) {
        double angle = p * frequencies[i];
        cos[p * half + i] = (float) Math.cos(angle);
        sin[p * half + i] = (float) Math.sin(angle);
      }
    }
    Shape table = new Shape(positions, half);
    return Kernels.list(
        List.of(
            kernels.cast(manager, manager.create(cos, table), compute.arithmetic()),
            kernels.cast(manager, manager.create(sin, table), compute.arithmetic())));
  }

  /** What a pass does besides computing losses. */
  public enum Pass {
    /** Losses only. */
    FORWARD,
    /** Adds gradients. */
    BACKWARD,
    /** Adds gradients, keeping only each layer's input on the way: less memory, more time. */
    BACKWARD_RECOMPUTED
  }

  /**
   * Runs micro-batches on the workers, the i-th on worker i modulo their number.
   *
   * @param dropout probability to drop an input of LoRA; masks follow from {@code seed}
   * @return of each micro-batch, the unweighted loss in nats of each row that counts
   */
  public List<float[]> run(List<MicroBatch> batches, Pass pass, double dropout, long seed)
      throws InterruptedException {
    float[][] losses = new float[batches.size()][];
    everywhere(
        worker -> {
          for (int i = worker; i < losses.length; i += compute.workers()) {
            losses[i] = run(batches.get(i), worker, pass, dropout, mix(seed, i));
            if (pass != Pass.FORWARD) {
              long[] segments = batches.get(i).segments();
              for (int s = 0; s < segments.length; s += 3) {
                touched[worker][(int) segments[s]] = true;
              }
            }
          }
        });
    return List.of(losses);
  }

  /** Runs work on every worker and waits for all of them. */
  private void everywhere(IntConsumer work) throws InterruptedException {
    List<Future<?>> futures = new ArrayList<>();
    for (int w = 0; w < compute.workers(); w++) {
      int worker = w;
      futures.add(pool.submit(() -> work.accept(worker)));
    }
    for (Future<?> future : futures) {
      await(future);
    }
  }

  /** Seeds of micro-batches are 2^16 apart: each layer takes the next. */
  private static long mix(long seed, int i) {
    return ((seed * 31 + i) << 16) & Long.MAX_VALUE;
  }

  private static void await(Future<?> future) throws InterruptedException {
    try {
      future.get();
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException cause) {
        throw cause;
      }
      throw new IllegalStateException("a worker failed", e.getCause());
    }
  }

  private float[] run(MicroBatch b, int worker, Pass pass, double dropout, long seed) {
    try (NDManager scope = manager.newSubManager()) {
      NDArray losses =
          kernels.tensor(
              scope,
              "run",
              scope.create(b.ids()),
              scope.create(b.positions()),
              scope.create(b.rows()),
              scope.create(b.targets()),
              scope.create(b.weights()),
              tables,
              b.rectangles(),
              b.segments(),
              weights,
              pass == Pass.FORWARD ? gradientless() : gradientViews.get(worker),
              working,
              gradients.get(worker),
              pass == Pass.FORWARD ? 0.0 : dropout,
              seed,
              pass == Pass.BACKWARD_RECOMPUTED,
              pass != Pass.FORWARD);
      return losses.toFloatArray();
    }
  }

  private List<NDArray> gradientless() {
    return List.of();
  }

  /**
   * Sums the workers' gradients.
   *
   * @return the norm of each adapter's gradient; not finite when a gradient is not
   */
  public float[] gatherGradients() throws InterruptedException {
    float[] norms = new float[adapters];
    perAdapter(adapters, i -> norms[i] = rows.get(i).gather());
    return norms;
  }

  /**
   * One AdamW step of one adapter.
   *
   * @param done steps that this adapter has taken before
   * @param norm as {@link #gatherGradients} returned it
   */
  public record Update(int adapter, long done, double learningRate, double norm) {}

  /** Takes optimizer steps with the gathered gradients, of different adapters. */
  public void update(List<Update> updates, AdamW plan) throws InterruptedException {
    perAdapter(
        updates.size(), i -> rows.get(updates.get(i).adapter()).update(updates.get(i), plan));
  }

  /** Ends a step: gradients are zero again and the passes see the new weights. */
  public void endStep() throws InterruptedException {
    perAdapter(adapters, i -> rows.get(i).end());
    for (boolean[] worker : touched) {
      Arrays.fill(worker, false);
    }
  }

  /** Adapters are shared out to the workers; a single one has all threads of this one's calls. */
  private void perAdapter(int count, IntConsumer work) throws InterruptedException {
    if (count == 1) {
      work.accept(0);
      return;
    }
    everywhere(
        worker -> {
          for (int i = worker; i < count; i += compute.workers()) {
            work.accept(i);
          }
        });
  }

  /** One adapter's part of everything. */
  private final class Row {
    private final int adapter;
    private final NDArray masterRow;
    private final NDArray workingRow;
    private final List<NDArray> gradientRows = new ArrayList<>(); // of each worker
    private final List<Section> sections = new ArrayList<>();

    Row(int adapter) {
      this.adapter = adapter;
      this.masterRow = kernels.tensor(manager, "row", master, adapter);
      this.workingRow = kernels.tensor(manager, "row", working, adapter);
      for (NDArray gradient : gradients) {
        gradientRows.add(kernels.tensor(manager, "row", gradient, adapter));
      }
      sections.add(section(0, decayed, true));
      if (decayed < size) {
        sections.add(section(decayed, size - decayed, false));
      }
    }

    private Section section(int from, int count, boolean decays) {
      List<IValue> parts = new ArrayList<>();
      gradients.forEach(g -> parts.add(part(g, from, count)));
      return new Section(
          decays,
          part(master, from, count),
          parts,
          part(first, from, count),
          part(second, from, count));
    }

    private IValue part(NDArray of, int from, int count) {
      return own(kernels.call("part", of, adapter, from, count));
    }

    float gather() {
      List<NDArray> others = new ArrayList<>();
      int own = -1;
      for (int w = 0; w < touched.length; w++) {
        if (touched[w][adapter]) {
          if (own < 0) {
            own = w;
          } else {
            others.add(gradientRows.get(w));
          }
        }
      }
      home[adapter] = Math.max(0, own);
      try (NDManager scope = manager.newSubManager()) {
        return kernels.tensor(scope, "norm", gradientRows.get(home[adapter]), others).getFloat();
      }
    }

    void update(Update update, AdamW plan) {
      double clip = plan.divisor(update.norm());
      for (Section section : sections) {
        double decay = section.decays() ? plan.weightDecay() : 0;
        kernels.run(
            "adamw",
            section.parameters(),
            section.gradients().get(home[adapter]),
            section.first(),
            section.second(),
            update.done(),
            update.learningRate(),
            plan.beta1(),
            plan.beta2(),
            plan.epsilon(),
            decay,
            clip);
      }
    }

    void end() {
      if (touched[home[adapter]][adapter]) {
        kernels.run("zero", gradientRows.get(home[adapter]));
        refresh();
      }
    }

    /** Brings the working copy up to date with the master weights. */
    void refresh() {
      if (working != master) {
        kernels.run("copy_into", workingRow, masterRow);
      }
    }
  }

  /**
   * A part of an adapter's row that the optimizer treats alike.
   *
   * @param gradients of each worker
   */
  private record Section(
      boolean decays, IValue parameters, List<IValue> gradients, IValue first, IValue second) {}

  /** The gathered gradient of one adapter. */
  public float[] gradient(int adapter) {
    return rows.get(adapter).gradientRows.get(home[adapter]).toFloatArray();
  }

  /** One adapter's weights. */
  public float[] parameters(int adapter) {
    return rows.get(adapter).masterRow.toFloatArray();
  }

  /** Replaces one adapter's weights; its optimizer state stays. */
  public void parameters(int adapter, float[] values) {
    set(rows.get(adapter).masterRow, new Shape(size), values);
    rows.get(adapter).refresh();
  }

  private void set(NDArray to, Shape shape, float[] values) {
    try (NDManager scope = manager.newSubManager()) {
      kernels.run("copy_into", to, scope.create(values, shape));
    }
  }

  /**
   * Weights and moments of all adapters.
   *
   * @param parameters (K, N), as {@code first} and {@code second}
   */
  @SuppressWarnings("ArrayRecordComponent")
  public record State(float[] parameters, float[] first, float[] second) {}

  public State state() {
    return new State(master.toFloatArray(), first.toFloatArray(), second.toFloatArray());
  }

  public void restore(State state) {
    Shape all = new Shape(adapters, size);
    set(master, all, state.parameters());
    set(first, all, state.first());
    set(second, all, state.second());
    rows.forEach(Row::refresh);
  }

  public int adapters() {
    return adapters;
  }

  /** Numbers of one adapter. */
  public int size() {
    return size;
  }

  public Compute compute() {
    return compute;
  }

  public boolean full() {
    return full;
  }

  private static float[] flatten(float[][] rows) {
    float[] all = new float[rows.length * rows[0].length];
    for (int i = 0; i < rows.length; i++) {
      System.arraycopy(rows[i], 0, all, i * rows[0].length, rows[0].length);
    }
    return all;
  }

  @Override
  public void close() {
    pool.shutdownNow();
    owned.forEach(IValue::close);
    manager.close();
    kernels.close();
  }
}
