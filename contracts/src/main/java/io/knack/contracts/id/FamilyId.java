package io.knack.contracts.id;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;

/** Names a group of clusters that a person would name. */
public record FamilyId(@JsonValue String value) implements Id {
  @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
  public FamilyId {
    Id.check(value);
  }

  @Override
  public String toString() {
    return value;
  }
}
