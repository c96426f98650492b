package io.knack.llm.checkpoint;

/** How rotary frequencies are stretched for long contexts. */
public sealed interface RopeScaling {
  /** The frequencies as they are. */
  record None() implements RopeScaling {}

  /** Every frequency divided by the factor. */
  record Linear(double factor) implements RopeScaling {}

  /**
   * Llama 3.1: wavelengths longer than {@code original / lowFrequency} are divided by the factor,
   * those shorter than {@code original / highFrequency} stay, in between they are blended.
   */
  record Llama3(double factor, double lowFrequency, double highFrequency, int original)
      implements RopeScaling {}

  /**
   * The inverse frequencies of a rotary embedding, in radians per position.
   *
   * @return {@code headDim / 2} values
   */
  default float[] inverseFrequencies(double theta, int headDim) {
    float[] inverse = new float[headDim / 2];
    for (int i = 0; i < inverse.length; i++) {
      float base = (float) (1.0 / (float) Math.pow(theta, (float) (2 * i) / headDim));
      inverse[i] = scale(base);
    }
    return inverse;
  }

  private float scale(float frequency) {
    if (this instanceof Linear linear) {
      return (float) (frequency / linear.factor());
    }
    if (this instanceof Llama3 llama) {
      double wavelength = 2 * Math.PI / frequency;
      if (wavelength > llama.original() / llama.lowFrequency()) {
        return (float) (frequency / llama.factor());
      }
      if (wavelength < llama.original() / llama.highFrequency()) {
        return frequency;
      }
      double smooth =
          (llama.original() / wavelength - llama.lowFrequency())
              / (llama.highFrequency() - llama.lowFrequency());
      return (float) ((1 - smooth) * frequency / llama.factor() + smooth * frequency);
    }
    return frequency;
  }
}
