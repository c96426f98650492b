package io.knack.spark.mine;

import static org.assertj.core.api.Assertions.assertThat;

import io.knack.contracts.plan.Plans;
import io.knack.practice.features.TextVector;
import io.knack.spark.mine.Agreement.Count;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Families over sentence vectors alone, beside k-means that is told k. */
final class VectorFamiliesTest {
  private static final int CLASSES = 24;
  private static final int WIDTH = 48;
  private static final int NODES = 960;

  /**
   * @param spread how far texts lie from the middle of their class, which has length one
   */
  @ParameterizedTest
  @ValueSource(doubles = {1.2, 1.5})
  void areNoWorseThanKMeansWithKGiven(double spread) {
    double ours = 0;
    double means = 0;
    for (int seed = 1; seed <= 3; seed++) {
      int[] truth = new int[NODES];
      float[][] vectors = vectors(truth, spread, new Random(seed));
      ours += agreement(truth, families(vectors)) / 3;
      means += agreement(truth, kMeans(vectors, new Random(seed))) / 3;
    }
    assertThat(means).isBetween(0.4, 0.99);
    assertThat(ours).isGreaterThanOrEqualTo(means);
  }

  /** Classes of unequal size around random middles. */
  private static float[][] vectors(int[] truth, double spread, Random random) {
    double[][] middles = new double[CLASSES][WIDTH];
    for (double[] middle : middles) {
      for (int r = 0; r < WIDTH; r++) {
        middle[r] = random.nextGaussian() / Math.sqrt(WIDTH);
      }
    }
    float[][] vectors = new float[NODES][WIDTH];
    for (int i = 0; i < NODES; i++) {
      double u = random.nextDouble();
      truth[i] = (int) (CLASSES * u * Math.sqrt(u));
      for (int r = 0; r < WIDTH; r++) {
        vectors[i][r] =
            (float) (middles[truth[i]][r] + spread * random.nextGaussian() / Math.sqrt(WIDTH));
      }
      unit(vectors[i]);
    }
    return vectors;
  }

  private static int[] families(float[][] vectors) {
    MinePlan plan = Plans.read(MinePlan.class, null, List.of("encoder=any"));
    TextVector[] texts =
        Arrays.stream(vectors)
            .map(dense -> new TextVector(new int[0], new float[0], dense))
            .toArray(TextVector[]::new);
    int[] copies = new int[NODES];
    Arrays.fill(copies, 1);
    return Grouping.of(texts, copies, Families.Purpose.PEOPLE, plan).family();
  }

  /** Lloyd's algorithm, the best of five starts by the sum of similarities. */
  private static int[] kMeans(float[][] vectors, Random random) {
    int[] best = new int[0];
    double most = -1;
    for (int start = 0; start < 5; start++) {
      float[][] middles = new float[CLASSES][];
      for (int k = 0; k < CLASSES; k++) {
        middles[k] = vectors[random.nextInt(vectors.length)].clone();
      }
      int[] of = new int[vectors.length];
      double similarity = 0;
      for (int round = 0; round < 30; round++) {
        similarity = 0;
        float[][] sums = new float[CLASSES][WIDTH];
        for (int i = 0; i < vectors.length; i++) {
          double nearest = -2;
          for (int k = 0; k < CLASSES; k++) {
            double cosine = 0;
            for (int r = 0; r < WIDTH; r++) {
              cosine += vectors[i][r] * middles[k][r];
            }
            if (cosine > nearest) {
              nearest = cosine;
              of[i] = k;
            }
          }
          similarity += nearest;
          for (int r = 0; r < WIDTH; r++) {
            sums[of[i]][r] += vectors[i][r];
          }
        }
        for (float[] sum : sums) {
          unit(sum);
        }
        middles = sums;
      }
      if (similarity > most) {
        most = similarity;
        best = of;
      }
    }
    return best;
  }

  private static double agreement(int[] truth, int[] found) {
    Map<List<Integer>, Long> both = new HashMap<>();
    for (int i = 0; i < truth.length; i++) {
      both.merge(List.of(truth[i], found[i]), 1L, Long::sum);
    }
    List<Count> counts = new ArrayList<>();
    both.forEach((pair, rows) -> counts.add(new Count(pair.get(0), "" + pair.get(1), rows)));
    return Agreement.adjustedRand(counts);
  }

  private static void unit(float[] vector) {
    double square = 1e-12;
    for (float value : vector) {
      square += (double) value * value;
    }
    for (int r = 0; r < vector.length; r++) {
      vector[r] = (float) (vector[r] / Math.sqrt(square));
    }
  }
}
