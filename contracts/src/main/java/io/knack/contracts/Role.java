package io.knack.contracts;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Locale;

/** Who speaks in a conversation. Written in lower case, as chat APIs do. */
public enum Role {
  SYSTEM,
  USER,
  ASSISTANT,
  TOOL;

  @JsonValue
  public String wire() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** Reads a role as chat APIs write it; {@code developer} is today's name for system. */
  @JsonCreator
  public static Role of(String wire) {
    return switch (wire.toLowerCase(Locale.ROOT)) {
      case "system", "developer" -> SYSTEM;
      case "user", "human" -> USER;
      case "assistant", "gpt", "model" -> ASSISTANT;
      case "tool", "function", "observation" -> TOOL;
      default -> throw new IllegalArgumentException("unknown role '" + wire + "'");
    };
  }
}
