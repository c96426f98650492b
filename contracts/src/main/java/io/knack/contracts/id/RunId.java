package io.knack.contracts.id;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;

/** Names one night or one run by hand. */
public record RunId(@JsonValue String value) implements Id {
  @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
  public RunId {
    Id.check(value);
  }

  @Override
  public String toString() {
    return value;
  }
}
