package io.knack.contracts;

import io.knack.contracts.id.ExampleId;
import java.util.List;

/** Every attempt at a training problem, the failed ones too: what reflection reads. */
public record Evidence(ExampleId exampleId, List<Attempt> attempts) {
  public Evidence {
    attempts = List.copyOf(attempts);
  }
}
