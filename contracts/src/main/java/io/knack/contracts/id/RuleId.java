package io.knack.contracts.id;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;

/** Names one distilled rule. */
public record RuleId(@JsonValue String value) implements Id {
  @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
  public RuleId {
    Id.check(value);
  }

  @Override
  public String toString() {
    return value;
  }
}
