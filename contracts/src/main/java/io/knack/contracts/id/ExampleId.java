package io.knack.contracts.id;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;

/** Names one curated problem. */
public record ExampleId(@JsonValue String value) implements Id {
  @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
  public ExampleId {
    Id.check(value);
  }

  @Override
  public String toString() {
    return value;
  }
}
