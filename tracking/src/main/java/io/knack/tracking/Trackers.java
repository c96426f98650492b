package io.knack.tracking;

import java.nio.file.Path;
import java.time.Clock;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Chooses a tracker. */
final class Trackers {
  private Trackers() {}

  static RunTracker open(TrackingPlan plan, Path home) {
    return open(plan, home, Clock.systemUTC());
  }

  static RunTracker open(TrackingPlan plan, Path home, Clock clock) {
    Path directory = home.resolve("tracking").toAbsolutePath().normalize();
    Spool spool = new Spool(directory, clock);
    String server = plan.server();
    Forwarding forwarding =
        server == null
            ? Forwarding.NONE
            : new MlflowSender(
                directory,
                spool,
                new MlflowServer(server, System.getenv(plan.tokenVariable()), plan.timeout()),
                plan);
    return new SpooledTracker(spool, forwarding, plan.experiment(), clock);
  }

  static RunTracker none() {
    return new RunTracker() {
      @Override
      public TrackedRun start(String name, @Nullable String parentKey, Map<String, String> tags) {
        return nothing(UUID.randomUUID().toString());
      }

      @Override
      public TrackedRun join(String name, String key, Map<String, String> tags) {
        return nothing(key);
      }

      private TrackedRun nothing(String key) {
        return new TrackedRun() {
          @Override
          public String key() {
            return key;
          }

          @Override
          public void params(Map<String, ?> params) {}

          @Override
          public void metrics(Map<String, Double> values, long step) {}

          @Override
          public void tag(String name, String value) {}

          @Override
          public void artifact(Path file, String directory) {}

          @Override
          public void end(RunStatus status) {}

          @Override
          public void close() {}
        };
      }

      @Override
      public void registerModel(
          ModelVersion version, String source, @Nullable String runKey, Map<String, String> tags) {}

      @Override
      public void setAlias(ModelVersion version, String alias) {}

      @Override
      public void deleteAlias(String model, String alias) {}

      @Override
      public void setVersionTag(ModelVersion version, String name, String value) {}

      @Override
      public long pending() {
        return 0;
      }

      @Override
      public void close() {}
    };
  }
}
