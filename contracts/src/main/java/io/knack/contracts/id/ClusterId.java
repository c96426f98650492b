package io.knack.contracts.id;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;

/** Names one recurring problem, stable from night to night. */
public record ClusterId(@JsonValue String value) implements Id {
  @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
  public ClusterId {
    Id.check(value);
  }

  @Override
  public String toString() {
    return value;
  }
}
