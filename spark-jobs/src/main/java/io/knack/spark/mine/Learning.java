package io.knack.spark.mine;

import io.knack.practice.features.HashedSpace;
import io.knack.practice.features.TextVector;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Learns the hashed space of a log in rounds: a space, the families that it finds in a sample, and
 * a space again in which what gathers in few of them weighs more. Without it the words of the
 * largest problem weigh no more than those of a common sentence, and sentences, not problems, fall
 * together. It runs on the driver; cost: that of mining a sample of {@value #SAMPLE}, {@value
 * #ROUNDS} times.
 */
final class Learning {
  private static final int ROUNDS = 2;

  /** Texts that are grouped. */
  private static final int SAMPLE = 10_000;

  private Learning() {}

  /**
   * @param nodes what the space is learnt from, spread over the log
   */
  static HashedSpace hashed(List<Node> nodes, MinePlan plan) {
    List<String> texts = nodes.stream().map(Node::text).toList();
    if (plan.allAsOneCluster()) {
      return HashedSpace.fit(texts, plan.seed());
    }
    List<Node> sample = new ArrayList<>();
    int size = Math.min(SAMPLE, nodes.size());
    for (int i = 0; i < size; i++) {
      sample.add(nodes.get((int) ((long) i * nodes.size() / size)));
    }
    List<String> some = sample.stream().map(Node::text).toList();
    HashedSpace space = HashedSpace.fit(some, plan.seed());
    for (int round = 1; round <= ROUNDS; round++) {
      Map<String, Integer> families = families(sample, space, plan);
      space = HashedSpace.fit(round < ROUNDS ? some : texts, families, plan.seed());
    }
    return space;
  }

  private static Map<String, Integer> families(
      List<Node> sample, HashedSpace space, MinePlan plan) {
    TextVector[] vectors =
        sample.parallelStream().map(node -> space.features(node.text())).toArray(TextVector[]::new);
    int[] copies = sample.stream().mapToInt(Node::copies).toArray();
    int[] family = Grouping.of(vectors, copies, Families.Purpose.LEARNING, plan).family();
    Map<String, Integer> families = new HashMap<>();
    IntStream.range(0, family.length).forEach(i -> families.put(sample.get(i).text(), family[i]));
    return families;
  }
}
