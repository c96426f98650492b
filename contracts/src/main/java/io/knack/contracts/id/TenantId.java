package io.knack.contracts.id;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;

/** Names the customer whose data it is. */
public record TenantId(@JsonValue String value) implements Id {
  @JsonCreator(mode = JsonCreator.Mode.DELEGATING)
  public TenantId {
    Id.check(value);
  }

  @Override
  public String toString() {
    return value;
  }
}
