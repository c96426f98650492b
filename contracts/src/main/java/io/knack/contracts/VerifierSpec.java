package io.knack.contracts;

import java.util.Map;

/**
 * Names a verifier and its options; {@code practice} makes the verifier of it.
 *
 * @param kind {@code exact}, {@code numeric}, {@code regex}, {@code json_schema}, {@code choice},
 *     {@code command}, {@code judge} or {@code agreement}
 */
public record VerifierSpec(String kind, Map<String, String> options) {
  public VerifierSpec {
    options = Map.copyOf(options);
  }
}
