package io.knack.llm.checkpoint;

import ai.djl.Device;
import ai.djl.ndarray.NDManager;
import io.knack.llm.kernel.Kernels;

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
   * The inverse frequencies of a rotary embedding, in radians per position. Every step is rounded
   * to float32, as transformers does it, and the powers are the engine's: at position 1,000 the
   * last bit of a frequency moves log-probabilities by 1e-4.
   *
   * @return {@code headDim / 2} values
   */
  default float[] inverseFrequencies(double theta, int headDim) {
    float[] inverse = new float[headDim / 2];
    for (int i = 0; i < inverse.length; i++) {
      inverse[i] = (float) (2 * i) / headDim;
    }
    try (NDManager manager = Kernels.engine().newBaseManager(Device.cpu())) {
      inverse = manager.create((float) theta).pow(manager.create(inverse)).toFloatArray();
    }
    for (int i = 0; i < inverse.length; i++) {
      inverse[i] = scale(1 / inverse[i]);
    }
    return inverse;
  }

  private float scale(float frequency) {
    if (this instanceof Linear linear) {
      return frequency / (float) linear.factor();
    }
    if (this instanceof Llama3 llama) {
      float wavelength = 1 / frequency * (float) (2 * Math.PI);
      if (wavelength > (float) (llama.original() / llama.lowFrequency())) {
        return frequency / (float) llama.factor();
      }
      if (wavelength < (float) (llama.original() / llama.highFrequency())) {
        return frequency;
      }
      float smooth =
          (1 / wavelength * llama.original() - (float) llama.lowFrequency())
              / (float) (llama.highFrequency() - llama.lowFrequency());
      return (1 - smooth) * frequency / (float) llama.factor() + smooth * frequency;
    }
    return frequency;
  }
}
