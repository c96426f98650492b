package io.knack.llm.vector;

import io.knack.llm.kernel.DType;
import java.nio.ByteBuffer;
import java.util.Optional;

/**
 * The arithmetic of one decode step in the processor's vector instructions. Matrices and caches lie
 * in native memory, activations in arrays, where element {@code at} is the first that is meant.
 *
 * <p>A row's numbers never depend on how many rows are computed with it: every sum runs in one
 * order whatever the number of rows. One object serves one thread.
 */
public interface VectorMath {
  /** Outputs of a block of {@link #blocks}. */
  int BLOCK = 32;

  /**
   * One of the implementation over the JDK's vector module; empty where the process was started
   * without {@code --add-modules jdk.incubator.vector}.
   */
  static Optional<VectorMath> find() {
    if (ModuleLayer.boot().findModule("jdk.incubator.vector").isEmpty()) {
      return Optional.empty();
    }
    try {
      Class<?> found = Class.forName("io.knack.llm.vector.jdk.JdkVectorMath");
      return Optional.of((VectorMath) found.getConstructor().newInstance());
    } catch (ReflectiveOperationException e) {
      throw new LinkageError("the vector kernels do not load", e);
    }
  }

  // Products -------------------------------------------------------------------------------------

  /**
   * y = W x for rows of x, weights in blocks of {@value #BLOCK} outputs, each (in, {@value
   * #BLOCK}); sums are float32.
   *
   * @param stored what the weights are, all of them finite
   * @param from the first block
   * @param to the last block, exclusive
   * @param x (rows, in)
   * @param y (rows, out)
   */
  void blocks(
      DType stored,
      ByteBuffer w,
      int in,
      int from,
      int to,
      float[] x,
      int xAt,
      float[] y,
      int yAt,
      int out,
      int rows);

  /** y += scale * x. */
  void addScaled(float[] y, int yAt, ByteBuffer x, int xAt, float scale, int n);

  /** The dot product of an array and float32 numbers in native memory, from its element xAt on. */
  float dot(float[] a, int at, ByteBuffer x, int xAt, int n);

  // Between the products -------------------------------------------------------------------------

  /** Rounds to the nearest bfloat16, ties to even. */
  void round(float[] x, int at, int n);

  /** y = x / sqrt(mean(x^2) + eps) * weight; where {@code half}, rounded after each product. */
  void norm(float[] x, int at, float[] weight, float eps, float[] y, int yAt, int n, boolean half);

  /**
   * The rotary embedding of x (2 n), in place: element k with element n + k. Where {@code half},
   * both products are rounded before they are added.
   *
   * @param table n cosines, then n sines
   */
  void rotate(float[] x, int at, float[] table, int n, boolean half);

  /** y += x, rounded where {@code half}. */
  void add(float[] y, int yAt, float[] x, int at, int n, boolean half);

  /** y = silu(gate) * up; where {@code half}, rounded after each. y may be gate. */
  void gate(float[] gate, int at, float[] up, int upAt, float[] y, int yAt, int n, boolean half);

  // Attention ------------------------------------------------------------------------------------

  /**
   * Dot products of queries (queries, width) with keys (count, width).
   *
   * @param at the byte where the first key begins
   * @param step from one query's scores to the next one's
   * @param half whether keys are bfloat16; width is even then
   */
  void scores(
      ByteBuffer keys,
      int at,
      int count,
      float[] query,
      int queryAt,
      int queries,
      int width,
      float[] scores,
      int scoresAt,
      int step,
      boolean half);

  /** The softmax of scale * x, in place. */
  void softmax(float[] x, int at, int n, float scale);

  /**
   * y (queries, width) = the values (count, width) weighted by p, for each query.
   *
   * @param at the byte where the first value begins
   * @param step from one query's weights to the next one's
   * @param half whether values are bfloat16; width is even then
   */
  void mix(
      ByteBuffer values,
      int at,
      int count,
      float[] p,
      int pAt,
      int step,
      int queries,
      float[] y,
      int yAt,
      int width,
      boolean half);

  // Drawing --------------------------------------------------------------------------------------

  /** Whether no number is NaN or infinite. */
  boolean finite(float[] x, int at, int n);

  /** The largest of x. */
  float max(float[] x, int at, int n);

  /**
   * to = exp(scale * (x - top)).
   *
   * @return their sum
   */
  float exponentials(float[] x, int at, float top, float scale, float[] to, int toAt, int n);
}
