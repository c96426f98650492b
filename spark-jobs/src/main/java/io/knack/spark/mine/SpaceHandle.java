package io.knack.spark.mine;

import io.knack.practice.features.EncodedSpace;
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
  private static final AtomicReference<TextSpace> LATEST = new AtomicReference<>();

  private final String digest;
  private final Broadcast<byte[]> bytes;
  private final @Nullable String vectors;

  SpaceHandle(JavaSparkContext spark, TextSpace space) {
    this.digest = space.digest();
    this.bytes = spark.broadcast(space.bytes());
    VectorCache cache = space instanceof EncodedSpace encoded ? encoded.cache() : null;
    this.vectors = cache == null ? null : cache.directory().toString();
    LATEST.set(space);
  }

  TextSpace space() {
    TextSpace latest = LATEST.get();
    if (latest != null && latest.digest().equals(digest)) {
      return latest;
    }
    synchronized (SpaceHandle.class) {
      latest = LATEST.get();
      if (latest == null || !latest.digest().equals(digest)) {
        latest = TextSpace.of(bytes.value());
        if (latest instanceof EncodedSpace encoded && vectors != null) {
          latest = encoded.with(VectorCache.open(Path.of(vectors)));
        }
        LATEST.set(latest);
      }
      return latest;
    }
  }
}
