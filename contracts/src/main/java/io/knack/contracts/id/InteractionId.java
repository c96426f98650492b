package io.knack.contracts.id;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;

/** Names one logged interaction. */
public record InteractionId(@JsonValue String value) implements Id {
  @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
  public InteractionId {
    Id.check(value);
  }

  @Override
  public String toString() {
    return value;
  }
}
