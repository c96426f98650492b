package io.knack.trainer;

import io.knack.llm.train.TokenSequence;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/**
 * What {@code bench train} trains on: random tokens, the same for Knack and its peer.
 *
 * @param batch sequences of one adapter's step
 * @param warmup leading steps that are not timed
 * @param adapters of each adapter, its sequences in order
 */
record BenchWork(String name, int batch, int warmup, List<List<List<Integer>>> adapters) {
  /** The scenario that takes minutes and runs only when it is named. */
  static final String MEMORY = "memory";

  /** Steps before the clock starts: buffers are made and code is warm. */
  private static final int WARMUP = 2;

  /** Sequences of one length, a batch a step. */
  static BenchWork even(String name, int vocabulary, int batch, int length, int steps) {
    Random random = new Random(1);
    List<List<Integer>> rows = new ArrayList<>();
    for (int i = 0; i < batch * (steps + WARMUP); i++) {
      rows.add(tokens(random, vocabulary, length));
    }
    return new BenchWork(name, batch, WARMUP, List.of(rows));
  }

  /** Lognormal lengths, mean 120 tokens, deviation of the logarithm 0.7, up to 512. */
  static BenchWork mixed(int vocabulary, int batch, int steps) {
    return lognormal("mixed-lengths", vocabulary, batch, steps, 120, 512);
  }

  /** 2,000 short steps of changing length, for looking at memory: mean 48 tokens, up to 128. */
  static BenchWork memory(int vocabulary) {
    return lognormal(MEMORY, vocabulary, 2, 2_000 - WARMUP, 48, 128);
  }

  private static BenchWork lognormal(
      String name, int vocabulary, int batch, int steps, int mean, int longest) {
    Random random = new Random(1);
    double sigma = 0.7;
    List<List<Integer>> rows = new ArrayList<>();
    for (int i = 0; i < batch * (steps + WARMUP); i++) {
      double length = Math.exp(Math.log(mean) - sigma * sigma / 2 + sigma * random.nextGaussian());
      rows.add(tokens(random, vocabulary, (int) Math.max(8, Math.min(longest, length))));
    }
    return new BenchWork(name, batch, WARMUP, List.of(rows));
  }

  /** Eight small clusters: 32 examples of 50 to 70 tokens each. */
  static BenchWork clusters(int vocabulary, int batch) {
    List<List<List<Integer>>> adapters = new ArrayList<>();
    for (int k = 0; k < 8; k++) {
      Random random = new Random(k);
      List<List<Integer>> rows = new ArrayList<>();
      for (int i = 0; i < 32 + batch * WARMUP; i++) {
        rows.add(tokens(random, vocabulary, 50 + random.nextInt(21)));
      }
      adapters.add(rows);
    }
    return new BenchWork("clusters-batch-" + batch, batch, WARMUP, adapters);
  }

  private static List<Integer> tokens(Random random, int vocabulary, int length) {
    return random.ints(length, 0, vocabulary).boxed().toList();
  }

  /** Of each adapter, those of the warm-up included. */
  int steps() {
    return (adapters.get(0).size() + batch - 1) / batch;
  }

  /** Tokens of the steps that are timed. */
  long tokens() {
    return adapters.stream()
        .flatMap(rows -> rows.stream().skip((long) warmup * batch))
        .mapToLong(List::size)
        .sum();
  }

  /** All tokens but the first of each sequence are learnt. */
  List<AdapterTask> tasks() {
    List<AdapterTask> tasks = new ArrayList<>();
    for (int k = 0; k < adapters.size(); k++) {
      List<TokenSequence> sequences = new ArrayList<>();
      for (List<Integer> row : adapters.get(k)) {
        float[] weights = new float[row.size()];
        Arrays.fill(weights, 1, weights.length, 1);
        sequences.add(
            new TokenSequence(row.stream().mapToInt(Integer::intValue).toArray(), weights, 0));
      }
      tasks.add(new AdapterTask("a" + k, sequences, List.of(), null));
    }
    return tasks;
  }
}
