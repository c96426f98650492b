package io.knack.tracking;

import static java.util.Objects.requireNonNull;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** One line of a spool, whole. Times are milliseconds since the epoch. */
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "event")
@JsonSubTypes({
  @JsonSubTypes.Type(value = Event.Start.class, name = "start"),
  @JsonSubTypes.Type(value = Event.Params.class, name = "params"),
  @JsonSubTypes.Type(value = Event.Metrics.class, name = "metrics"),
  @JsonSubTypes.Type(value = Event.Tag.class, name = "tag"),
  @JsonSubTypes.Type(value = Event.ArtifactFile.class, name = "artifact"),
  @JsonSubTypes.Type(value = Event.End.class, name = "end"),
  @JsonSubTypes.Type(value = Event.Register.class, name = "register"),
  @JsonSubTypes.Type(value = Event.SetAlias.class, name = "set_alias"),
  @JsonSubTypes.Type(value = Event.DeleteAlias.class, name = "delete_alias"),
  @JsonSubTypes.Type(value = Event.VersionTag.class, name = "version_tag"),
})
@JsonInclude(JsonInclude.Include.NON_NULL)
sealed interface Event {
  long time();

  /**
   * @param shared the run may be there already: then it goes on
   */
  record Start(
      long time,
      String run,
      String experiment,
      String name,
      @Nullable String parent,
      Map<String, String> tags,
      boolean shared)
      implements Event {
    public Start {
      requireNonNull(run);
      requireNonNull(experiment);
      requireNonNull(name);
      requireNonNull(tags);
    }
  }

  record Params(long time, String run, Map<String, String> params) implements Event {
    public Params {
      requireNonNull(run);
      requireNonNull(params);
    }
  }

  /** Values as text, because JSON has no NaN. */
  record Metrics(long time, String run, long step, Map<String, String> values) implements Event {
    public Metrics {
      requireNonNull(run);
      requireNonNull(values);
      values.values().forEach(Double::parseDouble);
    }
  }

  record Tag(long time, String run, String name, String value) implements Event {
    public Tag {
      requireNonNull(run);
      requireNonNull(name);
      requireNonNull(value);
    }
  }

  /**
   * @param file relative to the spool's directory
   * @param path inside the run's artifacts
   */
  record ArtifactFile(long time, String run, String file, String path) implements Event {
    public ArtifactFile {
      requireNonNull(run);
      requireNonNull(file);
      requireNonNull(path);
    }
  }

  record End(long time, String run, RunStatus status) implements Event {
    public End {
      requireNonNull(run);
      requireNonNull(status);
    }
  }

  record Register(
      long time,
      String model,
      String key,
      String source,
      @Nullable String run,
      Map<String, String> tags)
      implements Event {
    public Register {
      requireNonNull(model);
      requireNonNull(key);
      requireNonNull(source);
      requireNonNull(tags);
    }
  }

  record SetAlias(long time, String model, String key, String alias) implements Event {
    public SetAlias {
      requireNonNull(model);
      requireNonNull(key);
      requireNonNull(alias);
    }
  }

  record DeleteAlias(long time, String model, String alias) implements Event {
    public DeleteAlias {
      requireNonNull(model);
      requireNonNull(alias);
    }
  }

  record VersionTag(long time, String model, String key, String name, String value)
      implements Event {
    public VersionTag {
      requireNonNull(model);
      requireNonNull(key);
      requireNonNull(name);
      requireNonNull(value);
    }
  }
}
