package io.knack.tracking;

import java.nio.file.Path;
import java.time.Clock;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/** Records into a {@link Spool}; a {@link Forwarding} may carry it on. */
final class SpooledTracker implements RunTracker {
  /** MLflow takes so many parameters in one call. */
  private static final int AT_ONCE = 100;

  private final Spool spool;
  private final Forwarding forwarding;
  private final String experiment;
  private final Clock clock;
  private final AtomicBoolean closed = new AtomicBoolean();

  SpooledTracker(Spool spool, Forwarding forwarding, String experiment, Clock clock) {
    this.spool = spool;
    this.forwarding = forwarding;
    this.experiment = experiment;
    this.clock = clock;
  }

  @Override
  public TrackedRun start(String name, @Nullable String parentKey, Map<String, String> tags) {
    String key = UUID.randomUUID().toString();
    record(new Event.Start(now(), key, experiment, name, parentKey, Map.copyOf(tags), false));
    return new Run(key);
  }

  @Override
  public TrackedRun join(String name, String key, Map<String, String> tags) {
    record(new Event.Start(now(), key, experiment, name, null, Map.copyOf(tags), true));
    return new Run(key);
  }

  @Override
  public void registerModel(
      ModelVersion version, String source, @Nullable String runKey, Map<String, String> tags) {
    record(
        new Event.Register(
            now(), version.model(), version.key(), source, runKey, Map.copyOf(tags)));
  }

  @Override
  public void setAlias(ModelVersion version, String alias) {
    record(new Event.SetAlias(now(), version.model(), version.key(), alias));
  }

  @Override
  public void deleteAlias(String model, String alias) {
    record(new Event.DeleteAlias(now(), model, alias));
  }

  @Override
  public void setVersionTag(ModelVersion version, String name, String value) {
    record(new Event.VersionTag(now(), version.model(), version.key(), name, value));
  }

  @Override
  public long pending() {
    return forwarding.pending();
  }

  @Override
  public void close() {
    if (closed.compareAndSet(false, true)) {
      forwarding.drain();
      spool.close();
      forwarding.close();
    }
  }

  private long now() {
    return clock.millis();
  }

  private void record(Event event) {
    if (!closed.get()) {
      spool.append(event);
      forwarding.wake();
    }
  }

  private final class Run implements TrackedRun {
    private final String key;
    private final AtomicBoolean ended = new AtomicBoolean();

    Run(String key) {
      this.key = key;
    }

    @Override
    public String key() {
      return key;
    }

    @Override
    public void params(Map<String, ?> params) {
      Map<String, String> values = new LinkedHashMap<>();
      params.forEach(
          (name, value) -> {
            values.put(name, String.valueOf(value));
            if (values.size() == AT_ONCE) {
              unlessEnded(new Event.Params(now(), key, Map.copyOf(values)));
              values.clear();
            }
          });
      if (!values.isEmpty()) {
        unlessEnded(new Event.Params(now(), key, values));
      }
    }

    @Override
    public void metrics(Map<String, Double> metrics, long step) {
      Map<String, String> values = new LinkedHashMap<>();
      metrics.forEach((name, value) -> values.put(name, value.toString()));
      unlessEnded(new Event.Metrics(now(), key, step, values));
    }

    @Override
    public void tag(String name, String value) {
      unlessEnded(new Event.Tag(now(), key, name, value));
    }

    @Override
    public void artifact(Path file, String directory) {
      if (ended.get() || closed.get()) {
        return;
      }
      String kept = spool.keep(file);
      if (kept != null) {
        String name = String.valueOf(file.getFileName());
        String path = directory.isEmpty() ? name : directory + "/" + name;
        unlessEnded(new Event.ArtifactFile(now(), key, kept, path));
      }
    }

    @Override
    public void end(RunStatus status) {
      if (ended.compareAndSet(false, true)) {
        record(new Event.End(now(), key, status));
      }
    }

    @Override
    public void close() {
      end(RunStatus.FAILED);
    }

    private void unlessEnded(Event event) {
      if (!ended.get()) {
        record(event);
      }
    }
  }
}
