package io.knack.contracts.id;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;

/** Names one solved example kept for the prompt. */
public record EpisodeId(@JsonValue String value) implements Id {
  @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
  public EpisodeId {
    Id.check(value);
  }

  @Override
  public String toString() {
    return value;
  }
}
