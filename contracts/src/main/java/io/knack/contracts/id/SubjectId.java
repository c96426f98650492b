package io.knack.contracts.id;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;

/** Names a salted hash of the person behind an interaction. */
public record SubjectId(@JsonValue String value) implements Id {
  @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
  public SubjectId {
    Id.check(value);
  }

  @Override
  public String toString() {
    return value;
  }
}
