package io.knack.spark.mine;

import io.knack.practice.features.HashedSpace;
import java.io.Serial;
import java.io.Serializable;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;

/** A feature space that tasks can hold: its bytes are broadcast, and each JVM builds it once. */
final class SpaceHandle implements Serializable {
  @Serial private static final long serialVersionUID = 1L;
  private static final AtomicReference<HashedSpace> LATEST = new AtomicReference<>();

  private final String digest;
  private final Broadcast<byte[]> bytes;

  SpaceHandle(JavaSparkContext spark, HashedSpace space) {
    this.digest = space.digest();
    this.bytes = spark.broadcast(space.bytes());
    LATEST.set(space);
  }

  HashedSpace space() {
    HashedSpace latest = LATEST.get();
    if (latest != null && latest.digest().equals(digest)) {
      return latest;
    }
    synchronized (SpaceHandle.class) {
      latest = LATEST.get();
      if (latest == null || !latest.digest().equals(digest)) {
        latest = HashedSpace.of(bytes.value());
        LATEST.set(latest);
      }
      return latest;
    }
  }
}
