package io.knack.llm.kernel;

import ai.djl.Device;
import ai.djl.engine.Engine;
import ai.djl.engine.EngineException;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.engine.PtSymbolBlock;
import ai.djl.pytorch.jni.IValue;
import ai.djl.pytorch.jni.JniUtils;
import ai.djl.pytorch.jni.ScriptMethod;
import io.knack.contracts.stage.PlanException;
import io.knack.contracts.stage.TemporaryException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.Collection;
import java.util.List;
import java.util.Locale;

/**
 * The kernels of {@code kernels.py}, loaded on one device. Thread-safe for calls; gradient mode is
 * per thread: {@link #gradients(Gradients)}.
 *
 * <p>Arguments of a call are tensors ({@link NDArray}), tensor lists ({@code NDArray[]} or a
 * collection), {@link Integer}, {@link Long}, {@link Double}, {@link Boolean}, {@link String},
 * {@code long[]}, {@code double[]} and {@link IValue}. An {@link IValue} made once with {@link
 * #list} and passed again costs nothing per tensor and stays the caller's to close; everything else
 * is wrapped for the call and freed after it.
 */
public final class Kernels implements AutoCloseable {
  /** Whether calls on this thread record a graph. */
  public enum Gradients {
    ON,
    OFF
  }

  /** How {@code fuse} lays weights out; see kernels.py. */
  public enum Layout {
    PLAIN(0),
    BLOCKS(1),
    PACKED(2),
    UNPACKED_BF16(3),
    WIDENED_BLOCKS(4);

    private final long code;

    Layout(long code) {
      this.code = code;
    }

    /** Whether outputs lie in blocks of 32. */
    public boolean isBlocks() {
      return this == BLOCKS || this == WIDENED_BLOCKS;
    }

    /** What {@code fuse} calls it. */
    public long code() {
      return code;
    }
  }

  private final Device device;
  private final PtNDManager manager;
  private final PtSymbolBlock block;
  private final ThreadLocal<Boolean> prepared = ThreadLocal.withInitial(() -> false);

  private Kernels(Device device, PtNDManager manager, PtSymbolBlock block) {
    this.device = device;
    this.manager = manager;
    this.block = block;
  }

  /** Loads the shipped kernels on a device: {@code cpu}, {@code cuda} or {@code cuda:1}. */
  public static Kernels load(String device) {
    return load(device(device), ScriptArchive.text());
  }

  /** Loads another kernel text, for experiments and tests. */
  public static Kernels load(Device device, String text) {
    System.setProperty("ai.djl.pytorch.graph_optimizer", "false");
    PtNDManager manager = (PtNDManager) engine().newBaseManager(device).newSubManager(device);
    try {
      JniUtils.setGraphExecutorOptimize(false);
      PtSymbolBlock block =
          JniUtils.loadModule(
              manager, new ByteArrayInputStream(ScriptArchive.of(text)), false, false);
      return new Kernels(device, manager, block);
    } catch (IOException e) {
      manager.close();
      throw new UncheckedIOException(e);
    } catch (RuntimeException e) {
      manager.close();
      throw e;
    }
  }

  /** The engine, named: the tokenizers jar registers another one. */
  public static Engine engine() {
    return Engine.getEngine("PyTorch");
  }

  /** The device to take where none is asked for: the first GPU, else the CPU. */
  public static String bestDevice() {
    return engine().getGpuCount() > 0 ? "gpu:0" : "cpu";
  }

  /** Parses a device name; refuses CUDA where the engine has none. */
  public static Device device(String name) {
    String lower = name.toLowerCase(Locale.ROOT);
    if (lower.equals("cpu")) {
      return Device.cpu();
    }
    if (lower.matches("(cuda|gpu)(:\\d+)?")) {
      int index = lower.contains(":") ? Integer.parseInt(lower.replaceAll(".*:", "")) : 0;
      if (engine().getGpuCount() <= index) {
        throw new TemporaryException(
            "device '"
                + name
                + "' is not there: the PyTorch engine sees "
                + engine().getGpuCount()
                + " CUDA devices; use cpu (docs/operations.md says what a GPU needs)");
      }
      return Device.gpu(index);
    }
    throw new PlanException("device '" + name + "' is unknown; use cpu, cuda or cuda:N");
  }

  public Device device() {
    return device;
  }

  /** As TorchScript writes it: {@code cpu} or {@code cuda:0}. */
  public String deviceName() {
    return device.isGpu() ? "cuda:" + device.getDeviceId() : "cpu";
  }

  /** Lives as long as the kernels. Make a sub-manager for anything shorter. */
  public NDManager manager() {
    return manager;
  }

  /** Sets gradient mode for the calling thread. */
  public void gradients(Gradients mode) {
    prepare();
    JniUtils.setGradMode(mode == Gradients.ON);
  }

  /** Intra-op threads of the whole process. */
  public static void threads(int threads) {
    engine();
    JniUtils.setNumThreads(threads);
  }

  /** Intra-op threads of this process. */
  public static int threads() {
    engine();
    return JniUtils.getNumThreads();
  }

  /** Calls a kernel; the caller closes the result. */
  public IValue call(String method, Object... arguments) {
    return call(false, method, arguments);
  }

  private IValue call(boolean inference, String method, Object... arguments) {
    prepare();
    IValue[] values = new IValue[arguments.length];
    NativeCalls.enter();
    try {
      for (int i = 0; i < values.length; i++) {
        values[i] = value(arguments[i]);
      }
      return ScriptMethod.run(block, method, inference, values);
    } finally {
      NativeCalls.leave();
      for (int i = 0; i < values.length; i++) {
        if (values[i] != null && values[i] != arguments[i]) {
          values[i].close();
        }
      }
    }
  }

  /** Calls a kernel that returns nothing of interest. */
  public void run(String method, Object... arguments) {
    call(method, arguments).close();
  }

  /** Calls a kernel that returns an integer. */
  public long number(String method, Object... arguments) {
    try (IValue result = call(method, arguments)) {
      return result.toLong();
    }
  }

  /** Calls a kernel that returns one tensor; it belongs to {@code owner}. */
  public NDArray tensor(NDManager owner, String method, Object... arguments) {
    try (IValue result = call(method, arguments)) {
      return result.toTensor((PtNDManager) owner);
    }
  }

  /**
   * Calls a kernel that returns one tensor, in inference mode: each of its operators is cheaper,
   * and the result must not be written to. It belongs to {@code owner}.
   */
  public NDArray infer(NDManager owner, String method, Object... arguments) {
    try (IValue result = call(true, method, arguments)) {
      return result.toTensor((PtNDManager) owner);
    }
  }

  /** As {@link #infer}, of a kernel that returns a list of tensors. */
  public NDArray[] inferAll(NDManager owner, String method, Object... arguments) {
    try (IValue result = call(true, method, arguments)) {
      return result.toTensorArray((PtNDManager) owner);
    }
  }

  /** Calls a kernel that returns a list of tensors; they belong to {@code owner}. */
  public NDArray[] tensors(NDManager owner, String method, Object... arguments) {
    try (IValue result = call(method, arguments)) {
      return result.toTensorArray((PtNDManager) owner);
    }
  }

  /** A tensor list to pass to many calls; the caller closes it. */
  public static IValue list(Collection<? extends NDArray> tensors) {
    return IValue.listFrom(tensors.stream().map(t -> (PtNDArray) t).toArray(PtNDArray[]::new));
  }

  /**
   * A CPU tensor over a direct buffer, without a copy: writes to the buffer show in the tensor and
   * the other way round. The tensor keeps the buffer alive.
   *
   * @param bytes position 0, limit the tensor's size in bytes; for more than 2 GiB see {@code
   *     Checkpoint}
   */
  public NDArray over(NDManager owner, ByteBuffer bytes, Shape shape, DataType type) {
    ByteBuffer exact = bytes.slice().order(java.nio.ByteOrder.nativeOrder());
    return JniUtils.createNdFromByteBuffer(
        (PtNDManager) owner,
        exact,
        shape,
        type,
        ai.djl.ndarray.types.SparseFormat.DENSE,
        Device.cpu());
  }

  /**
   * The memory of a CPU tensor in one piece, without a copy. It must not be touched once the tensor
   * is closed.
   *
   * @param tensor of less than 2 GiB
   */
  public static ByteBuffer bytes(NDArray tensor) {
    return JniUtils.getByteBuffer((PtNDArray) tensor, true).order(java.nio.ByteOrder.nativeOrder());
  }

  /** A copy in another type, or the tensor itself under a new handle; works on bf16. */
  public NDArray cast(NDManager owner, NDArray tensor, DType type) {
    return tensor(owner, "cast", tensor, (long) type.torchCode());
  }

  /** The tensor on this device as FLOAT32 values, in row-major order. */
  public float[] floats(NDArray tensor) {
    try (NDManager scope = manager.newSubManager();
        NDArray plain = tensor(scope, "to_host", tensor)) {
      return plain.toFloatArray();
    }
  }

  /**
   * The layout in which products with weights of a type are fastest here: for float32 on an Intel
   * CPU with AVX-512 blocks, else oneDNN's own. Packed bfloat16 wants AVX-512 or its like; oneDNN
   * is asked, since it knows best what it can.
   */
  public Layout layout(DType type) {
    if (device.isGpu()) {
      return Layout.PLAIN;
    }
    if (type != DType.BF16) {
      return Cpu.isIntel() && Cpu.has("avx512f") ? Layout.BLOCKS : Layout.PACKED;
    }
    try (NDManager scope = manager.newSubManager()) {
      NDArray small = cast(scope, scope.zeros(new Shape(32, 32)), DType.BF16);
      tensor(scope, "fuse", List.of(small), Layout.PACKED.code()).close();
      return Layout.PACKED;
    } catch (EngineException e) {
      return Layout.UNPACKED_BF16;
    }
  }

  /**
   * Whether attention for one token a row is faster here as two batched products than fused: so in
   * float32 where the fused kernel's small products are not made for this CPU.
   */
  public boolean batchesAttention(DType type) {
    return !device.isGpu() && type == DType.F32 && !Cpu.isIntel();
  }

  private void prepare() {
    if (!prepared.get()) {
      JniUtils.setGraphExecutorOptimize(false);
      prepared.set(true);
    }
  }

  private static IValue value(Object argument) {
    if (argument instanceof IValue ready) {
      return ready;
    }
    if (argument instanceof NDArray tensor) {
      return IValue.from((PtNDArray) tensor);
    }
    if (argument instanceof NDArray[] tensors) {
      return list(java.util.Arrays.asList(tensors));
    }
    if (argument instanceof Collection<?> tensors) {
      return IValue.listFrom(tensors.stream().map(t -> (PtNDArray) t).toArray(PtNDArray[]::new));
    }
    if (argument instanceof Integer number) {
      return IValue.from(number.longValue());
    }
    if (argument instanceof Long number) {
      return IValue.from(number);
    }
    if (argument instanceof Double number) {
      return IValue.from(number);
    }
    if (argument instanceof Boolean flag) {
      return IValue.from(flag);
    }
    if (argument instanceof String string) {
      return IValue.from(string);
    }
    if (argument instanceof long[] numbers) {
      return IValue.listFrom(numbers);
    }
    if (argument instanceof double[] numbers) {
      return IValue.listFrom(numbers);
    }
    throw new IllegalArgumentException("no TorchScript value for " + argument.getClass());
  }

  @Override
  public void close() {
    manager.close();
  }
}
