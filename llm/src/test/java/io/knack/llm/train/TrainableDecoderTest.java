package io.knack.llm.train;

import static org.assertj.core.api.Assertions.assertThat;

import io.knack.llm.checkpoint.ModelConfig;
import io.knack.llm.kernel.DType;
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
        TrainableDecoder.full(SHAPE, new Compute("cpu", DType.F32, 2), start)) {
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
        TrainableDecoder.full(SHAPE, new Compute("cpu", DType.F32, 1), start)) {
      loss(decoder, batch, Pass.BACKWARD);
      decoder.gatherGradients();
      float[] plain = decoder.gradient(0);
      decoder.endStep();
      loss(decoder, batch, Pass.BACKWARD_RECOMPUTED);
      decoder.gatherGradients();
      assertThat(decoder.gradient(0)).containsExactly(plain);
    }
  }
}
