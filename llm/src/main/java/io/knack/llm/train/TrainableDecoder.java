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
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
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
  private final NDArray working; // (K, N) in the compute type, scaled
  private final NDArray scale; // (N) or empty
  private final NDArray first; // (K, N) AdamW's moments
  private final NDArray second;
  private final List<NDArray> gradients = new ArrayList<>(); // (K, N) of each worker
  private final List<IValue> gradientViews = new ArrayList<>();
  private final IValue weights;
  private final IValue tables;
  private final List<List<Section>> sections = new ArrayList<>();
  private final List<IValue> owned = new ArrayList<>();

  /** All weights of a decoder, from {@code initial} in the order of {@link FlatWeights}. */
  public static TrainableDecoder full(ModelConfig shape, Compute compute, float[] initial) {
    return new TrainableDecoder(shape, compute, null, null, new float[][] {initial});
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
    return new TrainableDecoder(shape, compute, frozen, layout, initial);
  }

  private TrainableDecoder(
      ModelConfig shape,
      Compute compute,
      @Nullable FrozenWeights frozen,
      @Nullable LoraLayout layout,
      float[][] initial) {
    this.shape = shape;
    this.compute = compute;
    this.full = layout == null;
    this.adapters = initial.length;
    this.size = initial[0].length;
    Device device = Kernels.device(compute.device());
    this.kernels = TrainingKernels.load(device, shape, layout == null ? List.of() : layout.specs());
    this.manager = kernels.manager().newSubManager(device);
    kernels.gradients(Kernels.Gradients.OFF);
    this.pool = Executors.newFixedThreadPool(compute.workers(), worker());

    this.master = manager.create(flatten(initial), new Shape(adapters, size));
    this.first = manager.zeros(new Shape(adapters, size));
    this.second = manager.zeros(new Shape(adapters, size));
    this.scale = layout == null ? manager.create(new float[0]) : manager.create(layout.scales());
    boolean copied = layout != null || compute.dtype() != DType.F32;
    this.working =
        copied
            ? kernels.tensor(manager, "zeros_like_as", master, (long) compute.dtype().torchCode())
            : master;
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
      sections.add(sections(i));
    }
    refresh();
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
            kernels.cast(manager, manager.create(cos, table), compute.dtype()),
            kernels.cast(manager, manager.create(sin, table), compute.dtype())));
  }

  /** Brings the working copy up to date with the master weights. */
  private void refresh() {
    if (working != master) {
      kernels.run("copy_into", working, master, scale);
    }
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
    List<Future<float[][]>> futures = new ArrayList<>();
    for (int w = 0; w < compute.workers(); w++) {
      int worker = w;
      futures.add(
          pool.submit(
              () -> {
                float[][] losses = new float[batches.size()][];
                for (int i = worker; i < batches.size(); i += compute.workers()) {
                  losses[i] = run(batches.get(i), worker, pass, dropout, mix(seed, i));
                }
                return losses;
              }));
    }
    List<float[]> losses = new ArrayList<>(java.util.Collections.nCopies(batches.size(), null));
    for (int w = 0; w < compute.workers(); w++) {
      float[][] part = await(futures.get(w));
      for (int i = w; i < batches.size(); i += compute.workers()) {
        losses.set(i, part[i]);
      }
    }
    return losses;
  }

  /** Seeds of micro-batches are 2^16 apart: each layer takes the next. */
  private static long mix(long seed, int i) {
    return ((seed * 31 + i) << 16) & Long.MAX_VALUE;
  }

  private static <T> T await(Future<T> future) throws InterruptedException {
    try {
      return future.get();
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
  public float[] gatherGradients() {
    try (NDManager scope = manager.newSubManager()) {
      return kernels.tensor(scope, "norms", gradients, scale).toFloatArray();
    }
  }

  /**
   * One AdamW step of one adapter with the gathered gradients.
   *
   * @param done steps that this adapter has taken before
   * @param norm as {@link #gatherGradients} returned it
   */
  public void update(int adapter, long done, double learningRate, AdamW plan, double norm) {
    double clip = plan.maxGradNorm() > 0 ? Math.min(1, plan.maxGradNorm() / (norm + 1e-6)) : 1;
    for (Section section : sections.get(adapter)) {
      double decay = section.decays() ? plan.weightDecay() : 0;
      kernels.run(
          "adamw",
          section.parameters(),
          section.gradients(),
          section.first(),
          section.second(),
          done,
          learningRate,
          plan.beta1(),
          plan.beta2(),
          plan.epsilon(),
          decay,
          clip);
    }
  }

  /** A part of an adapter's row that the optimizer treats alike. */
  private record Section(
      boolean decays, IValue parameters, IValue gradients, IValue first, IValue second) {}

  private List<Section> sections(int adapter) {
    List<Section> parts = new ArrayList<>();
    parts.add(section(adapter, 0, decayed, true));
    if (decayed < size) {
      parts.add(section(adapter, decayed, size - decayed, false));
    }
    return parts;
  }

  private Section section(int adapter, int from, int count, boolean decays) {
    return new Section(
        decays,
        own(kernels.call("part", master, adapter, from, count)),
        own(kernels.call("part", gradients.get(0), adapter, from, count)),
        own(kernels.call("part", first, adapter, from, count)),
        own(kernels.call("part", second, adapter, from, count)));
  }

  /** Ends a step: gradients are zero again and the passes see the new weights. */
  public void endStep() {
    kernels.run("zero", gradients.get(0));
    refresh();
  }

  /** The gathered gradient of one adapter. */
  public float[] gradient(int adapter) {
    return row(gradients.get(0), adapter);
  }

  /** One adapter's weights. */
  public float[] parameters(int adapter) {
    return row(master, adapter);
  }

  /** Replaces one adapter's weights; its optimizer state stays. */
  public void parameters(int adapter, float[] values) {
    float[] all = master.toFloatArray();
    System.arraycopy(values, 0, all, adapter * size, size);
    set(master, all);
    refresh();
  }

  private float[] row(NDArray matrix, int adapter) {
    float[] all = matrix.toFloatArray();
    return java.util.Arrays.copyOfRange(all, adapter * size, (adapter + 1) * size);
  }

  private void set(NDArray to, float[] values) {
    try (NDManager scope = manager.newSubManager()) {
      kernels.run(
          "copy_into",
          to,
          scope.create(values, new Shape(adapters, size)),
          scope.create(new float[0]));
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
    set(master, state.parameters());
    set(first, state.first());
    set(second, state.second());
    refresh();
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
