package io.knack.tracking;

import io.knack.contracts.plan.KeyVariable;
import io.knack.contracts.stage.PlanException;
import java.nio.file.Path;
import java.time.Clock;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Chooses a tracker. */
final class Trackers {
  private static final Logger LOG = LoggerFactory.getLogger(Trackers.class);

  private Trackers() {}

  static RunTracker open(TrackingPlan plan, Path home) {
    return open(plan, home, Clock.systemUTC());
  }

  static RunTracker open(TrackingPlan plan, Path home, Clock clock) {
    return open(plan, home, clock, System.getenv());
  }

  static RunTracker open(
      TrackingPlan plan, Path home, Clock clock, Map<String, String> environment) {
    Path directory = home.resolve("tracking").toAbsolutePath().normalize();
    Spool spool = new Spool(directory, clock);
    return new SpooledTracker(
        spool, forwarding(plan, directory, spool, environment), plan.experiment(), clock);
  }

  private static Forwarding forwarding(
      TrackingPlan plan, Path directory, Spool spool, Map<String, String> environment) {
    String server = plan.server();
    if (server == null) {
      return Forwarding.NONE;
    }
    try {
      String token = KeyVariable.read(plan.tokenVariable(), environment);
      return new MlflowSender(
          directory, spool, new MlflowServer(server, token, plan.timeout()), plan);
    } catch (PlanException e) {
      // A run never fails by its tracking.
      LOG.warn("tracking server: {}; records are kept and sent later", e.getMessage());
      return Forwarding.NONE;
    }
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
