package io.knack.spark.mine;

import io.knack.practice.features.SentenceEncoder;
import io.knack.practice.features.VectorCache;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;

/**
 * Sentence vectors of nodes, encoded in batches inside the partitions. They lie in the stage's
 * cache by the encoder's digest and that of the text: what lies there is not encoded again.
 */
final class Encoding {
  /** Texts in one file of the cache at most; the encoder makes its own batches of them. */
  private static final int TEXTS = 4096;

  private Encoding() {}

  /** The vectors of all nodes; one job. */
  static VectorCache run(Nodes nodes, SentenceEncoder encoder, Path cache) {
    Path place = cache.resolve("vectors").resolve(encoder.digest());
    String directory = encoder.directory().toString();
    String into = place.toString();
    nodes.rdd().foreachPartition(part -> encode(part, directory, into));
    return VectorCache.open(place);
  }

  private static void encode(Iterator<Node> nodes, String directory, String place) {
    VectorCache cache = VectorCache.open(Path.of(place));
    List<String> missing = new ArrayList<>();
    while (nodes.hasNext()) {
      String text = nodes.next().text();
      if (cache.find(text) == null) {
        missing.add(text);
      }
      if (missing.size() == TEXTS || (!nodes.hasNext() && !missing.isEmpty())) {
        cache.add(missing, SentenceEncoder.open(Path.of(directory)).embed(missing));
        missing.clear();
      }
    }
  }
}
