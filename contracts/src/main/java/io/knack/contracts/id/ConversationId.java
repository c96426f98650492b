package io.knack.contracts.id;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;

/** Names the conversation that an interaction belongs to. */
public record ConversationId(@JsonValue String value) implements Id {
  @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
  public ConversationId {
    Id.check(value);
  }

  @Override
  public String toString() {
    return value;
  }
}
