package io.knack.spark.mine;

import io.knack.practice.features.TextSpace;
import io.knack.practice.features.TextVector;
import io.knack.practice.features.Words;
import java.io.Serial;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.IntStream;

/**
 * What stands for a group: the mean of some of its nodes, its medoid and others far apart, and the
 * words that tell it from the rest of the log.
 */
@SuppressWarnings("ArrayRecordComponent") // never compared, never printed
record Core(
    int group,
    int[] indices,
    float[] values,
    float[] dense,
    String medoidKey,
    ArrayList<String> exemplars,
    ArrayList<String> terms)
    implements Serializable {
  @Serial private static final long serialVersionUID = 1L;

  /** Nodes that a core is computed from. */
  static final int NODES = 48;

  /** Hashed entries that a centroid keeps. */
  private static final int ENTRIES = 256;

  private static final int TERMS = 8;

  TextVector centroid() {
    return new TextVector(indices, values, dense);
  }

  /** Same nodes, same core, whatever their order. */
  static Core of(int group, Iterable<Node> nodes, TextSpace space, int exemplars) {
    List<Node> members = new ArrayList<>();
    nodes.forEach(members::add);
    members.sort(Comparator.comparing(Node::key));
    List<TextVector> vectors = space.featuresOf(members.stream().map(Node::text).toList());
    TextVector centroid = mean(members, vectors, space.denseWidth());
    int medoid = 0;
    for (int i = 1; i < members.size(); i++) {
      if (vectors.get(i).cosine(centroid) > vectors.get(medoid).cosine(centroid)) {
        medoid = i;
      }
    }
    return new Core(
        group,
        centroid.indices(),
        centroid.values(),
        centroid.dense(),
        members.get(medoid).key(),
        spread(members, vectors, medoid, exemplars),
        terms(members, space));
  }

  private static TextVector mean(List<Node> members, List<TextVector> vectors, int width) {
    TreeMap<Integer, Double> sparse = new TreeMap<>();
    double[] dense = new double[width];
    for (int i = 0; i < vectors.size(); i++) {
      TextVector vector = vectors.get(i);
      double weight = 1 + StrictMath.log(members.get(i).copies());
      for (int e = 0; e < vector.indices().length; e++) {
        sparse.merge(vector.indices()[e], weight * vector.values()[e], Double::sum);
      }
      for (int r = 0; r < width; r++) {
        dense[r] += weight * vector.dense()[r];
      }
    }
    List<Map.Entry<Integer, Double>> kept =
        sparse.entrySet().stream()
            .sorted(
                Map.Entry.<Integer, Double>comparingByValue()
                    .reversed()
                    .thenComparing(Map.Entry.comparingByKey()))
            .limit(ENTRIES)
            .sorted(Map.Entry.comparingByKey())
            .toList();
    double square = 0;
    for (Map.Entry<Integer, Double> entry : kept) {
      square += entry.getValue() * entry.getValue();
    }
    for (double value : dense) {
      square += value * value;
    }
    double norm = Math.max(1e-12, Math.sqrt(square));
    int[] indices = new int[kept.size()];
    float[] values = new float[kept.size()];
    for (int i = 0; i < indices.length; i++) {
      indices[i] = kept.get(i).getKey();
      values[i] = (float) (kept.get(i).getValue() / norm);
    }
    float[] scaled = new float[width];
    for (int r = 0; r < width; r++) {
      scaled[r] = (float) (dense[r] / norm);
    }
    return new TextVector(indices, values, scaled);
  }

  /** The medoid, then each time the text farthest from those chosen. */
  private static ArrayList<String> spread(
      List<Node> members, List<TextVector> vectors, int medoid, int count) {
    ArrayList<String> texts = new ArrayList<>();
    double[] nearest = new double[members.size()];
    Arrays.fill(nearest, -1);
    int chosen = medoid;
    Set<Integer> taken = new HashSet<>();
    while (texts.size() < Math.min(count, members.size())) {
      texts.add(members.get(chosen).text());
      taken.add(chosen);
      int last = chosen;
      int farthest = -1;
      for (int i = 0; i < members.size(); i++) {
        nearest[i] = Math.max(nearest[i], vectors.get(i).cosine(vectors.get(last)));
        if (!taken.contains(i) && (farthest < 0 || nearest[i] < nearest[farthest])) {
          farthest = i;
        }
      }
      chosen = farthest;
      if (farthest < 0) {
        break;
      }
    }
    return texts;
  }

  /**
   * Words, and pairs of characters that stand alone, by how common they are here and rare there.
   */
  private static ArrayList<String> terms(List<Node> members, TextSpace space) {
    Map<String, Integer> counts = new TreeMap<>();
    for (Node node : members) {
      Set<String> words = new TreeSet<>();
      List<String> tokens = Words.of(node.text());
      for (int i = 0; i < tokens.size(); i++) {
        boolean pair = tokens.get(i).codePointAt(0) >= 0x0E00;
        if (pair && i + 1 < tokens.size() && tokens.get(i + 1).codePointAt(0) >= 0x0E00) {
          words.add(tokens.get(i) + tokens.get(i + 1));
        } else if (!pair && !tokens.get(i).equals(Words.NUMBER)) {
          words.add(tokens.get(i));
        }
      }
      words.forEach(word -> counts.merge(word, 1, Integer::sum));
    }
    int least = members.size() < 3 ? 1 : 2;
    List<String> words =
        counts.entrySet().stream()
            .filter(e -> e.getValue() >= least)
            .map(Map.Entry::getKey)
            .toList();
    double[] weight = new double[words.size()];
    for (int i = 0; i < weight.length; i++) {
      String word = words.get(i);
      double rarity = 0;
      List<String> tokens = Words.of(word);
      for (String token : tokens) {
        rarity += space.rarity(token) / tokens.size();
      }
      weight[i] = counts.getOrDefault(word, 0) * rarity * rarity;
    }
    return new ArrayList<>(
        IntStream.range(0, weight.length)
            .boxed()
            .sorted(Comparator.<Integer>comparingDouble(i -> -weight[i]).thenComparing(i -> i))
            .limit(TERMS)
            .map(words::get)
            .toList());
  }
}
