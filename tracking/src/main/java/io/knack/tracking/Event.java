package io.knack.tracking;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** One line of a spool. Times are milliseconds since the epoch. */
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
      implements Event {}

  record Params(long time, String run, Map<String, String> params) implements Event {}

  /** Values as text, because JSON has no NaN. */
  record Metrics(long time, String run, long step, Map<String, String> values) implements Event {}

  record Tag(long time, String run, String name, String value) implements Event {}

  /**
   * @param file relative to the spool's directory
   * @param path inside the run's artifacts
   */
  record ArtifactFile(long time, String run, String file, String path) implements Event {}

  record End(long time, String run, RunStatus status) implements Event {}

  record Register(
      long time,
      String model,
      String key,
      String source,
      @Nullable String run,
      Map<String, String> tags)
      implements Event {}

  record SetAlias(long time, String model, String key, String alias) implements Event {}

  record DeleteAlias(long time, String model, String alias) implements Event {}

  record VersionTag(long time, String model, String key, String name, String value)
      implements Event {}
}
