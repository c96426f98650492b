package io.knack.llm.vector.jdk;

import io.knack.llm.vector.VectorMath;
import java.nio.ByteBuffer;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * What queries that share a key head do with its keys and values. Some places are copied to an
 * array at once, as {@link FloatBlocks} does and for the same reason. One object serves one thread.
 *
 * <p>bfloat16 is read in pairs, an int each, of which the first is the low half: sums then run over
 * the elements of even place beside those of odd place.
 */
final class Attention {
  private static final VectorSpecies<Float> F = FloatVector.SPECIES_PREFERRED;
  private static final VectorSpecies<Integer> I = IntVector.SPECIES_PREFERRED;
  private static final int L = F.length();

  /** Numbers of the copied places, so that they stay in the first cache. */
  private static final int COPIED = 4096;

  private final float[] lanes;
  private float[] tile = new float[COPIED];
  private int[] pairs = new int[COPIED / 2];

  /** Queries, or results, of which the elements of even place come first. */
  private float[] split = new float[0];

  /**
   * @param lanes room for eight vectors
   */
  Attention(float[] lanes) {
    this.lanes = lanes;
  }

  /** Places that are copied at once: a multiple of eight. */
  private int places(int width) {
    int places = Math.max(8, COPIED / width / 8 * 8);
    if (tile.length < places * width) {
      tile = new float[places * width];
      pairs = new int[places * width / 2];
    }
    return places;
  }

  private void copy(ByteBuffer from, int at, int first, int n, int width, boolean half) {
    if (half) {
      from.asIntBuffer().get(at / 4 + first * (width / 2), pairs, 0, n * (width / 2));
    } else {
      from.asFloatBuffer().get(at / 4 + first * width, tile, 0, n * width);
    }
  }

  // Scores ---------------------------------------------------------------------------------------

  /** See {@link VectorMath#scores}. */
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
      boolean half) {
    float[] asked = query;
    int askedAt = queryAt;
    if (half) {
      splitInto(query, queryAt, queries, width);
      asked = split;
      askedAt = 0;
    }
    int places = places(width);
    for (int first = 0; first < count; first += places) {
      int n = Math.min(places, count - first);
      copy(keys, at, first, n, width, half);
      for (int j = 0; j < queries; j++) {
        int to = scoresAt + j * step + first;
        int from = askedAt + j * width;
        int t = 0;
        for (; t + 8 <= n; t += 8) {
          if (half) {
            dotsOfHalves(lanes, pairs, t * (width / 2), width, asked, from, scores, to + t);
          } else {
            dotsOfFloats(lanes, tile, t * width, width, asked, from, scores, to + t);
          }
        }
        for (; t < n; t++) {
          scores[to + t] =
              half
                  ? dotOfHalves(lanes, pairs, t * (width / 2), width, asked, from)
                  : dotOfFloats(lanes, tile, t * width, width, asked, from);
        }
      }
    }
  }

  private void splitInto(float[] x, int at, int rows, int width) {
    if (split.length < rows * width) {
      split = new float[rows * width];
    }
    int half = width / 2;
    for (int r = 0; r < rows; r++) {
      int from = at + r * width;
      int to = r * width;
      for (int k = 0; k < half; k++) {
        split[to + k] = x[from + 2 * k];
        split[to + half + k] = x[from + 2 * k + 1];
      }
    }
  }

  /** The dot product of a query with one key. */
  private static float dotOfFloats(
      float[] lanes, float[] tile, int at, int width, float[] x, int xAt) {
    FloatVector a = FloatVector.zero(F);
    int k = 0;
    for (; k + L <= width; k += L) {
      a = FloatVector.fromArray(F, tile, at + k).fma(FloatVector.fromArray(F, x, xAt + k), a);
    }
    return rest(Dots.sum(lanes, a), tile, at, k, width, x, xAt);
  }

  /** The dot product of a query with one key of bfloat16. */
  private static float dotOfHalves(
      float[] lanes, int[] tile, int at, int width, float[] x, int xAt) {
    int half = width / 2;
    FloatVector a = FloatVector.zero(F);
    int k = 0;
    for (; k + L <= half; k += L) {
      IntVector pair = IntVector.fromArray(I, tile, at + k);
      a =
          pair.lanewise(VectorOperators.LSHL, 16)
              .reinterpretAsFloats()
              .fma(FloatVector.fromArray(F, x, xAt + k), a);
      a =
          pair.and(Dots.HIGH_HALF)
              .reinterpretAsFloats()
              .fma(FloatVector.fromArray(F, x, xAt + half + k), a);
    }
    return Dots.sum(lanes, a) + rest(tile, at, k, half, x, xAt);
  }

  // What vectors do not reach.

  private static float rest(
      float sum, float[] tile, int at, int from, int width, float[] x, int xAt) {
    float all = sum;
    for (int k = from; k < width; k++) {
      all += x[xAt + k] * tile[at + k];
    }
    return all;
  }

  private static float rest(int[] tile, int at, int from, int half, float[] x, int xAt) {
    float sum = 0;
    for (int k = from; k < half; k++) {
      int pair = tile[at + k];
      sum += Float.intBitsToFloat(pair << 16) * x[xAt + k];
      sum += Float.intBitsToFloat(pair & Dots.HIGH_HALF) * x[xAt + half + k];
    }
    return sum;
  }

  /** Dot products of a query with eight keys, one behind the other. */
  private static void dotsOfFloats(
      float[] lanes, float[] tile, int at, int width, float[] x, int xAt, float[] y, int yAt) {
    FloatVector a = FloatVector.zero(F);
    FloatVector b = FloatVector.zero(F);
    FloatVector c = FloatVector.zero(F);
    FloatVector d = FloatVector.zero(F);
    FloatVector e = FloatVector.zero(F);
    FloatVector f = FloatVector.zero(F);
    FloatVector g = FloatVector.zero(F);
    FloatVector h = FloatVector.zero(F);
    int k = 0;
    for (; k + L <= width; k += L) {
      int p = at + k;
      FloatVector v = FloatVector.fromArray(F, x, xAt + k);
      a = FloatVector.fromArray(F, tile, p).fma(v, a);
      b = FloatVector.fromArray(F, tile, p + width).fma(v, b);
      c = FloatVector.fromArray(F, tile, p + 2 * width).fma(v, c);
      d = FloatVector.fromArray(F, tile, p + 3 * width).fma(v, d);
      e = FloatVector.fromArray(F, tile, p + 4 * width).fma(v, e);
      f = FloatVector.fromArray(F, tile, p + 5 * width).fma(v, f);
      g = FloatVector.fromArray(F, tile, p + 6 * width).fma(v, g);
      h = FloatVector.fromArray(F, tile, p + 7 * width).fma(v, h);
    }
    a.intoArray(lanes, 0);
    b.intoArray(lanes, L);
    c.intoArray(lanes, 2 * L);
    d.intoArray(lanes, 3 * L);
    e.intoArray(lanes, 4 * L);
    f.intoArray(lanes, 5 * L);
    g.intoArray(lanes, 6 * L);
    h.intoArray(lanes, 7 * L);
    for (int i = 0; i < 8; i++) {
      y[yAt + i] = rest(Dots.sum(lanes, i), tile, at + i * width, k, width, x, xAt);
    }
  }

  /** Dot products of a query with eight keys of bfloat16, one behind the other. */
  private static void dotsOfHalves(
      float[] lanes, int[] tile, int at, int width, float[] x, int xAt, float[] y, int yAt) {
    int half = width / 2;
    FloatVector a = FloatVector.zero(F);
    FloatVector b = FloatVector.zero(F);
    FloatVector c = FloatVector.zero(F);
    FloatVector d = FloatVector.zero(F);
    FloatVector e = FloatVector.zero(F);
    FloatVector f = FloatVector.zero(F);
    FloatVector g = FloatVector.zero(F);
    FloatVector h = FloatVector.zero(F);
    int k = 0;
    for (; k + L <= half; k += L) {
      int p = at + k;
      FloatVector even = FloatVector.fromArray(F, x, xAt + k);
      FloatVector odd = FloatVector.fromArray(F, x, xAt + half + k);
      IntVector pair = IntVector.fromArray(I, tile, p);
      a =
          pair.and(Dots.HIGH_HALF)
              .reinterpretAsFloats()
              .fma(odd, pair.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().fma(even, a));
      pair = IntVector.fromArray(I, tile, p + half);
      b =
          pair.and(Dots.HIGH_HALF)
              .reinterpretAsFloats()
              .fma(odd, pair.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().fma(even, b));
      pair = IntVector.fromArray(I, tile, p + 2 * half);
      c =
          pair.and(Dots.HIGH_HALF)
              .reinterpretAsFloats()
              .fma(odd, pair.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().fma(even, c));
      pair = IntVector.fromArray(I, tile, p + 3 * half);
      d =
          pair.and(Dots.HIGH_HALF)
              .reinterpretAsFloats()
              .fma(odd, pair.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().fma(even, d));
      pair = IntVector.fromArray(I, tile, p + 4 * half);
      e =
          pair.and(Dots.HIGH_HALF)
              .reinterpretAsFloats()
              .fma(odd, pair.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().fma(even, e));
      pair = IntVector.fromArray(I, tile, p + 5 * half);
      f =
          pair.and(Dots.HIGH_HALF)
              .reinterpretAsFloats()
              .fma(odd, pair.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().fma(even, f));
      pair = IntVector.fromArray(I, tile, p + 6 * half);
      g =
          pair.and(Dots.HIGH_HALF)
              .reinterpretAsFloats()
              .fma(odd, pair.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().fma(even, g));
      pair = IntVector.fromArray(I, tile, p + 7 * half);
      h =
          pair.and(Dots.HIGH_HALF)
              .reinterpretAsFloats()
              .fma(odd, pair.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().fma(even, h));
    }
    a.intoArray(lanes, 0);
    b.intoArray(lanes, L);
    c.intoArray(lanes, 2 * L);
    d.intoArray(lanes, 3 * L);
    e.intoArray(lanes, 4 * L);
    f.intoArray(lanes, 5 * L);
    g.intoArray(lanes, 6 * L);
    h.intoArray(lanes, 7 * L);
    for (int i = 0; i < 8; i++) {
      y[yAt + i] = Dots.sum(lanes, i) + rest(tile, at + i * half, k, half, x, xAt);
    }
  }

  // Mixing ---------------------------------------------------------------------------------------

  /** See {@link VectorMath#mix}. */
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
      boolean half) {
    if (half && split.length < queries * width) {
      split = new float[queries * width];
    }
    float[] to = half ? split : y;
    int toAt = half ? 0 : yAt;
    Arrays.fill(to, toAt, toAt + queries * width, 0);
    int places = places(width);
    for (int first = 0; first < count; first += places) {
      int n = Math.min(places, count - first);
      copy(values, at, first, n, width, half);
      for (int j = 0; j < queries; j++) {
        int from = pAt + j * step + first;
        if (half) {
          mixHalves(pairs, n, p, from, to, toAt + j * width, width);
        } else {
          mixFloats(tile, n, p, from, to, toAt + j * width, width);
        }
      }
    }
    if (half) {
      join(queries, width, y, yAt);
    }
  }

  /** Undoes {@link #splitInto}. */
  private void join(int rows, int width, float[] y, int at) {
    int half = width / 2;
    for (int r = 0; r < rows; r++) {
      int to = at + r * width;
      int from = r * width;
      for (int k = 0; k < half; k++) {
        y[to + 2 * k] = split[from + k];
        y[to + 2 * k + 1] = split[from + half + k];
      }
    }
  }

  private static void mixFloats(
      float[] tile, int count, float[] p, int pAt, float[] y, int yAt, int width) {
    int k = 0;
    for (; k + 4 * L <= width; k += 4 * L) {
      FloatVector a = FloatVector.fromArray(F, y, yAt + k);
      FloatVector b = FloatVector.fromArray(F, y, yAt + k + L);
      FloatVector c = FloatVector.fromArray(F, y, yAt + k + 2 * L);
      FloatVector d = FloatVector.fromArray(F, y, yAt + k + 3 * L);
      for (int t = 0; t < count; t++) {
        int from = t * width + k;
        FloatVector s = FloatVector.broadcast(F, p[pAt + t]);
        a = FloatVector.fromArray(F, tile, from).fma(s, a);
        b = FloatVector.fromArray(F, tile, from + L).fma(s, b);
        c = FloatVector.fromArray(F, tile, from + 2 * L).fma(s, c);
        d = FloatVector.fromArray(F, tile, from + 3 * L).fma(s, d);
      }
      a.intoArray(y, yAt + k);
      b.intoArray(y, yAt + k + L);
      c.intoArray(y, yAt + k + 2 * L);
      d.intoArray(y, yAt + k + 3 * L);
    }
    for (; k + L <= width; k += L) {
      FloatVector a = FloatVector.fromArray(F, y, yAt + k);
      for (int t = 0; t < count; t++) {
        FloatVector s = FloatVector.broadcast(F, p[pAt + t]);
        a = FloatVector.fromArray(F, tile, t * width + k).fma(s, a);
      }
      a.intoArray(y, yAt + k);
    }
    for (; k < width; k++) {
      float sum = y[yAt + k];
      for (int t = 0; t < count; t++) {
        sum = Math.fma(p[pAt + t], tile[t * width + k], sum);
      }
      y[yAt + k] = sum;
    }
  }

  private static void mixHalves(
      int[] tile, int count, float[] p, int pAt, float[] y, int yAt, int width) {
    int half = width / 2;
    int k = 0;
    for (; k + 2 * L <= half; k += 2 * L) {
      FloatVector a = FloatVector.fromArray(F, y, yAt + k);
      FloatVector b = FloatVector.fromArray(F, y, yAt + half + k);
      FloatVector c = FloatVector.fromArray(F, y, yAt + k + L);
      FloatVector d = FloatVector.fromArray(F, y, yAt + half + k + L);
      for (int t = 0; t < count; t++) {
        int from = t * half + k;
        FloatVector s = FloatVector.broadcast(F, p[pAt + t]);
        IntVector pair = IntVector.fromArray(I, tile, from);
        a = pair.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().fma(s, a);
        b = pair.and(Dots.HIGH_HALF).reinterpretAsFloats().fma(s, b);
        pair = IntVector.fromArray(I, tile, from + L);
        c = pair.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().fma(s, c);
        d = pair.and(Dots.HIGH_HALF).reinterpretAsFloats().fma(s, d);
      }
      a.intoArray(y, yAt + k);
      b.intoArray(y, yAt + half + k);
      c.intoArray(y, yAt + k + L);
      d.intoArray(y, yAt + half + k + L);
    }
    for (; k + L <= half; k += L) {
      FloatVector a = FloatVector.fromArray(F, y, yAt + k);
      FloatVector b = FloatVector.fromArray(F, y, yAt + half + k);
      for (int t = 0; t < count; t++) {
        FloatVector s = FloatVector.broadcast(F, p[pAt + t]);
        IntVector pair = IntVector.fromArray(I, tile, t * half + k);
        a = pair.lanewise(VectorOperators.LSHL, 16).reinterpretAsFloats().fma(s, a);
        b = pair.and(Dots.HIGH_HALF).reinterpretAsFloats().fma(s, b);
      }
      a.intoArray(y, yAt + k);
      b.intoArray(y, yAt + half + k);
    }
    for (; k < half; k++) {
      float even = y[yAt + k];
      float odd = y[yAt + half + k];
      for (int t = 0; t < count; t++) {
        int pair = tile[t * half + k];
        even = Math.fma(p[pAt + t], Float.intBitsToFloat(pair << 16), even);
        odd = Math.fma(p[pAt + t], Float.intBitsToFloat(pair & Dots.HIGH_HALF), odd);
      }
      y[yAt + k] = even;
      y[yAt + half + k] = odd;
    }
  }
}
