package io.knack.spark.mine;

import io.knack.practice.features.EncodedSpace;
import io.knack.practice.features.Encoders;
import io.knack.practice.features.SentenceEncoder;
import io.knack.practice.features.TextSpace;
import io.knack.practice.features.VectorCache;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Sentence vectors of a night's nodes, encoded in batches inside the partitions. They lie in the
 * workspace's cache by the encoder's digest and that of the text: what lies there is not encoded
 * again.
 */
final class Encoding {
  /** Texts in one file of the cache at most; the encoder makes its own batches of them. */
  private static final int TEXTS = 4096;

  private final Path home;
  private @Nullable SentenceEncoder encoder;
  private long encoded;
  private long found;

  Encoding(Path home) {
    this.home = home;
  }

  /** The vectors of all nodes; one job. */
  VectorCache run(Nodes nodes, SentenceEncoder with) {
    encoder = with;
    Encoders.of(home).note(with);
    Path place = Encoders.vectors(home, with.digest());
    String directory = with.directory().toString();
    String into = place.toString();
    List<long[]> counts =
        nodes
            .rdd()
            .mapPartitions(part -> List.of(encode(part, directory, into)).iterator())
            .collect();
    counts.forEach(
        count -> {
          encoded += count[0];
          found += count[1];
        });
    return VectorCache.open(place).compacted();
  }

  /** A space with the vectors of these nodes at hand: itself where it needs no encoder. */
  TextSpace with(Nodes nodes, TextSpace space) {
    return space instanceof EncodedSpace sentences
        ? sentences.with(run(nodes, sentences.encoder()))
        : space;
  }

  /** For the card: which encoder, what it encoded tonight and what was there; empty without one. */
  Map<String, Object> figures() {
    return encoder == null
        ? Map.of()
        : Map.of(
            NightFiles.ENCODER,
            encoder.digest(),
            "encoder_name",
            encoder.name(),
            "encoded",
            encoded,
            "vectors_from_cache",
            found);
  }

  /** How many were encoded, and how many lay in the cache. */
  private static long[] encode(Iterator<Node> nodes, String directory, String place) {
    VectorCache cache = VectorCache.open(Path.of(place));
    List<String> missing = new ArrayList<>();
    long[] counts = new long[2];
    while (nodes.hasNext()) {
      String text = nodes.next().text();
      if (cache.find(text) == null) {
        missing.add(text);
        counts[0]++;
      } else {
        counts[1]++;
      }
      if (missing.size() == TEXTS || (!nodes.hasNext() && !missing.isEmpty())) {
        cache.add(missing, SentenceEncoder.open(Path.of(directory)).embed(missing));
        missing.clear();
      }
    }
    return counts;
  }
}
