package io.knack.llm.kernel;

import ai.djl.ndarray.types.DataType;
import ai.djl.util.Float16Utils;
import io.knack.contracts.stage.PlanException;
import java.nio.ByteBuffer;
import java.util.Locale;

/**
 * Element types of weights, with their safetensors names. BF16 has no Java-side arithmetic: a bf16
 * tensor may be passed to kernels only.
 */
public enum DType {
  F32("float32", 4, 6, DataType.FLOAT32),
  F16("float16", 2, 5, DataType.FLOAT16),
  /** Carried as FLOAT16 bits until a kernel reinterprets them. */
  BF16("bfloat16", 2, 15, DataType.FLOAT16);

  private final String torchName;
  private final int bytes;
  private final int torchCode;
  private final DataType carrier;

  DType(String torchName, int bytes, int torchCode, DataType carrier) {
    this.torchName = torchName;
    this.bytes = bytes;
    this.torchCode = torchCode;
    this.carrier = carrier;
  }

  /** {@code float32}, {@code float16} or {@code bfloat16}. */
  public String torchName() {
    return torchName;
  }

  public int bytes() {
    return bytes;
  }

  /** The number TorchScript knows the type by. */
  public int torchCode() {
    return torchCode;
  }

  /** The type Java creates the raw bits with. */
  public DataType carrier() {
    return carrier;
  }

  /** Element {@code index} of numbers of this type in native memory. */
  public float read(ByteBuffer numbers, int index) {
    return switch (this) {
      case F32 -> numbers.getFloat(4 * index);
      case F16 -> Float16Utils.halfToFloat(numbers.getShort(2 * index));
      case BF16 -> Float.intBitsToFloat(numbers.getShort(2 * index) << 16);
    };
  }

  /** Accepts {@code float32}, {@code fp32}, {@code f32} and so on, in any case. */
  public static DType parse(String name) {
    return switch (name.toLowerCase(Locale.ROOT)) {
      case "float32", "fp32", "f32", "float" -> F32;
      case "float16", "fp16", "f16", "half" -> F16;
      case "bfloat16", "bf16" -> BF16;
      default ->
          throw new PlanException(
              "dtype '" + name + "' is unknown; use float32, bfloat16 or float16");
    };
  }
}
