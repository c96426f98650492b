package io.knack.spark.mine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class MergingTest {
  @Test
  void theMostAlikeMergeFirstAndTheMeanFollows() {
    double[][] means = {{1, 0}, {0.8, 0.6}, {0, 1}};
    // 0 and 1 have cosine 0.8 and merge; their mean (0.9, 0.3) has 0.3 with group 2.
    assertThat(Merging.of(means, new long[] {1, 1, 1}, Likeness.of(0.5))).containsExactly(0, 0, 1);
    // By size the mean is (0.82, 0.54), whose 0.54 is enough.
    assertThat(Merging.of(means, new long[] {1, 9, 1}, Likeness.of(0.5))).containsExactly(0, 0, 0);
    assertThat(Merging.of(means, new long[] {1, 1, 1}, Likeness.of(0.9))).containsExactly(0, 1, 2);
  }

  @Test
  void manyGroupsFindTheirLikeByPivots() {
    int kinds = 900;
    double[][] means = new double[2 * kinds][64];
    Random random = new Random(3);
    for (int kind = 0; kind < kinds; kind++) {
      double square = 0;
      for (int r = 0; r < 64; r++) {
        means[kind][r] = random.nextGaussian();
        square += means[kind][r] * means[kind][r];
      }
      for (int r = 0; r < 64; r++) {
        means[kind][r] /= Math.sqrt(square);
        means[kinds + kind][r] = means[kind][r] * 0.9;
      }
    }
    long[] sizes = new long[2 * kinds];
    Arrays.fill(sizes, 1);
    int[] merged = Merging.of(means, sizes, Likeness.of(0.8));
    for (int kind = 0; kind < kinds; kind++) {
      assertThat(merged[kinds + kind]).isEqualTo(merged[kind]).isEqualTo(kind);
    }
  }
}
