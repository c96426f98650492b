package io.knack.llm.train;

import static org.assertj.core.api.Assertions.assertThat;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.knack.llm.checkpoint.ModelConfig;
import io.knack.llm.kernel.DType;
import io.knack.llm.kernel.Kernels;
import io.knack.llm.train.TrainableDecoder.Pass;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.assertj.core.data.Offset;
import org.junit.jupiter.api.Test;

class TrainableDecoderTest {
  private static final ModelConfig SHAPE =
      SmallDecoders.llama(50, 32, 2, 4, 2, 48, ModelConfig.Embeddings.TIED, 64, List.of());

  private static List<TokenSequence> sequences(long seed, int... lengths) {
    Random random = new Random(seed);
    List<TokenSequence> out = new ArrayList<>();
    for (int length : lengths) {
      int[] ids = random.ints(length, 0, 50).toArray();
      float[] weights = new float[length];
      for (int i = length / 3; i < length; i++) {
        weights[i] = 0.5f + random.nextFloat();
      }
      out.add(new TokenSequence(ids, weights, 0));
    }
    return out;
  }

  private static double loss(TrainableDecoder decoder, MicroBatch batch, Pass pass)
      throws InterruptedException {
    float[] losses = decoder.run(List.of(batch), pass, 0, 0).get(0);
    double sum = 0;
    for (int i = 0; i < losses.length; i++) {
      sum += losses[i] * batch.weights()[i];
    }
    return sum;
  }

  @Test
  void gradientsAgreeWithFiniteDifferences() throws InterruptedException {
    FlatWeights flat = FlatWeights.of(SHAPE);
    float[] start = flat.random(0.2, 1);
    MicroBatch batch = MicroBatch.pack(sequences(2, 9, 17, 10, 17));
    try (TrainableDecoder decoder =
        TrainableDecoder.full(SHAPE, Compute.of("cpu", DType.F32, 2), start)) {
      loss(decoder, batch, Pass.BACKWARD);
      decoder.gatherGradients();
      float[] gradient = decoder.gradient(0);
      // A random direction within each tensor: the derivative along it is its dot product.
      Random random = new Random(3);
      for (FlatWeights.Range range : flat.ranges()) {
        float[] plus = start.clone();
        float[] minus = start.clone();
        double expected = 0;
        double norm = 0;
        for (int i = range.offset(); i < range.offset() + range.size(); i++) {
          double direction = random.nextGaussian() + Math.signum(gradient[i]);
          plus[i] += (float) (5e-4 * direction);
          minus[i] -= (float) (5e-4 * direction);
          expected += gradient[i] * ((double) plus[i] - minus[i]) / 1e-3;
          norm += direction * direction;
        }
        decoder.parameters(0, plus);
        double up = loss(decoder, batch, Pass.FORWARD);
        decoder.parameters(0, minus);
        double down = loss(decoder, batch, Pass.FORWARD);
        assertThat((up - down) / 1e-3)
            .as(range.name() + " of norm " + norm)
            .isCloseTo(expected, Offset.offset(0.02 * Math.abs(expected) + 0.02));
      }
    }
  }

  @Test
  void recomputationChangesNothing() throws InterruptedException {
    MicroBatch batch = MicroBatch.pack(sequences(4, 20, 21, 5));
    float[] start = FlatWeights.of(SHAPE).random(0.2, 1);
    try (TrainableDecoder decoder =
        TrainableDecoder.full(SHAPE, Compute.of("cpu", DType.F32, 1), start)) {
      loss(decoder, batch, Pass.BACKWARD);
      decoder.gatherGradients();
      float[] plain = decoder.gradient(0);
      decoder.endStep();
      loss(decoder, batch, Pass.BACKWARD_RECOMPUTED);
      decoder.gatherGradients();
      assertThat(decoder.gradient(0)).containsExactly(plain);
    }
  }

  @Test
  void attentionFromPlainOperatorsIsThatByBlocks() throws InterruptedException {
    MicroBatch batch = MicroBatch.pack(sequences(3, 20, 21, 5, 40));
    float[][] start = {FlatWeights.of(SHAPE).random(0.2, 1)};
    List<float[]> gradients = new ArrayList<>();
    for (TrainingKernels.Attention attention : TrainingKernels.Attention.values()) {
      try (TrainableDecoder decoder =
          new TrainableDecoder(
              SHAPE, Compute.of("cpu", DType.F32, 1), null, null, start, attention)) {
        loss(decoder, batch, Pass.BACKWARD);
        decoder.gatherGradients();
        gradients.add(decoder.gradient(0));
      }
    }
    assertThat(gradients.get(1))
        .usingComparatorWithPrecision(1e-4f)
        .containsExactly(gradients.get(0));
    assertThat(gradients.get(0)).isNotEqualTo(gradients.get(1)); // not the same kernels
  }

  /** torch.optim.AdamW after clip_grad_norm_(0.5), torch 2.15, four steps. */
  @Test
  void optimizerIsThatOfTorch() {
    float[] p = {0.5f, -1.25f, 2.0f, 0.0f};
    float[][] gradients = {
      {0.1f, -0.2f, 0.3f, 0.0f},
      {0.5f, 0.25f, -0.125f, 1e-6f},
      {-1.0f, 0.75f, 0.0625f, 2.0f},
      {0.3f, 0.3f, 0.3f, 0.3f}
    };
    float[][] expected = {
      {0.48950002f, -1.23875f, 1.988f, 0.0f},
      {0.48026112f, -1.2384722f, 1.98226f, -0.0073227556f},
      {0.47640243f, -1.2409118f, 1.9771148f, -0.01370358f},
      {0.4708357f, -1.2455587f, 1.969514f, -0.021149926f}
    };
    AdamW plan = new AdamW(0.9, 0.999, 1e-8, 0.1, 0.5);
    try (Kernels kernels =
        TrainingKernels.load(ai.djl.Device.cpu(), SHAPE, null, TrainingKernels.Attention.BLOCKS)) {
      kernels.gradients(Kernels.Gradients.OFF);
      NDManager manager = kernels.manager();
      NDArray weights = manager.create(p);
      NDArray first = manager.zeros(new Shape(4));
      NDArray second = manager.zeros(new Shape(4));
      for (int step = 0; step < gradients.length; step++) {
        NDArray gradient = manager.create(gradients[step]);
        double norm = kernels.tensor(manager, "norm", gradient, List.of()).getFloat();
        kernels.run(
            "adamw",
            List.of(weights),
            List.of(gradient),
            List.of(first),
            List.of(second),
            (long) step,
            0.01,
            plan.beta1(),
            plan.beta2(),
            plan.epsilon(),
            plan.weightDecay(),
            plan.divisor(norm));
        assertThat(weights.toFloatArray())
            .usingComparatorWithPrecision(1e-6f)
            .containsExactly(expected[step]);
      }
    }
  }
}
