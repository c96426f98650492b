package io.knack.llm.train;

import io.knack.contracts.stage.PlanException;
import java.util.ArrayList;
import java.util.List;

/**
 * What the kernels need to know of a decoder of the Llama kind.
 *
 * @param ropeFrequencies angle per position of each pair of dimensions, headDim / 2 of them
 * @param tied the head is the embedding
 */
public record DecoderShape(
    int vocabulary,
    int width,
    int layers,
    int heads,
    int kvHeads,
    int headDim,
    int feedForward,
    double epsilon,
    List<Double> ropeFrequencies,
    boolean tied,
    boolean qkvBias,
    boolean qkNorm,
    int maxPositions) {
  public DecoderShape {
    ropeFrequencies = List.copyOf(ropeFrequencies);
    List<String> problems = new ArrayList<>();
    if (vocabulary < 2 || width < 1 || layers < 1 || feedForward < 1 || maxPositions < 2) {
      problems.add(
          "a decoder needs a vocabulary of 2, width, layers and feed_forward of at least 1, and 2"
              + " positions");
    }
    if (kvHeads < 1 || heads % kvHeads != 0) {
      problems.add("heads must be a multiple of kv_heads; found " + heads + " and " + kvHeads);
    }
    if (headDim % 2 != 0) {
      problems.add("head_dim must be even for rotary positions; found " + headDim);
    }
    if (ropeFrequencies.size() != headDim / 2) {
      problems.add(
          "expected "
              + headDim / 2
              + " rotary frequencies for head_dim "
              + headDim
              + "; found "
              + ropeFrequencies.size());
    }
    if (!problems.isEmpty()) {
      throw new PlanException(problems);
    }
  }

  /** Plain Llama, rotary base 10,000. */
  public static DecoderShape llama(
      int vocabulary,
      int width,
      int layers,
      int heads,
      int kvHeads,
      int feedForward,
      boolean tied,
      int maxPositions) {
    int headDim = width / heads;
    return new DecoderShape(
        vocabulary,
        width,
        layers,
        heads,
        kvHeads,
        headDim,
        feedForward,
        1e-5,
        frequencies(headDim, 10_000),
        tied,
        false,
        false,
        maxPositions);
  }

  /** Unscaled rotary frequencies. */
  public static List<Double> frequencies(int headDim, double base) {
    List<Double> out = new ArrayList<>();
    for (int i = 0; i < headDim; i += 2) {
      out.add(1 / Math.pow(base, (double) i / headDim));
    }
    return out;
  }

  /** Width of the joined query, key and value projection. */
  public int qkvWidth() {
    return (heads + 2 * kvHeads) * headDim;
  }
}
