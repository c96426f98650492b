package io.knack.spark.mine;

import io.knack.practice.features.EncodedSpace;
import io.knack.practice.features.Encoders;
import io.knack.practice.features.TextSpace;
import io.knack.practice.features.VectorCache;
import java.io.Serial;
import java.io.Serializable;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import org.jspecify.annotations.Nullable;

/** A feature space that tasks can hold: its bytes are broadcast, and each JVM builds it once. */
final class SpaceHandle implements Serializable {
  @Serial private static final long serialVersionUID = 1L;
  private static final AtomicReference<Built> LATEST = new AtomicReference<>();

  /** Equal ids mean the same space with the same vectors at hand. */
  private final String id;

  private final Broadcast<byte[]> bytes;
  private final Encoders encoders;
  private final @Nullable String vectors;

  private record Built(String id, TextSpace space) {}

  SpaceHandle(JavaSparkContext spark, TextSpace space) {
    this.bytes = spark.broadcast(space.bytes());
    if (space instanceof EncodedSpace encoded) {
      VectorCache cache = encoded.cache();
      this.id = space.digest() + (cache == null ? "" : " " + cache.size());
      this.encoders = Encoders.none().at(encoded.encoder().directory());
      this.vectors = cache == null ? null : cache.directory().toString();
    } else {
      this.id = space.digest();
      this.encoders = Encoders.none();
      this.vectors = null;
    }
    LATEST.set(new Built(id, space));
  }

  TextSpace space() {
    Built latest = LATEST.get();
    if (latest != null && latest.id().equals(id)) {
      return latest.space();
    }
    synchronized (SpaceHandle.class) {
      latest = LATEST.get();
      if (latest == null || !latest.id().equals(id)) {
        TextSpace space = TextSpace.of(bytes.value(), encoders);
        if (space instanceof EncodedSpace encoded && vectors != null) {
          space = encoded.with(VectorCache.open(Path.of(vectors)));
        }
        latest = new Built(id, space);
        LATEST.set(latest);
      }
      return latest.space();
    }
  }
}
