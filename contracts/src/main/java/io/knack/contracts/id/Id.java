package io.knack.contracts.id;

/** An identifier: printable, at most {@value #MAX_LENGTH} characters, never blank. */
public interface Id {
  int MAX_LENGTH = 256;

  String value();

  /** Refuses a value that could not be printed, stored or compared. */
  static void check(String value) {
    if (value.isBlank()) {
      throw new IllegalArgumentException("an id must not be blank");
    }
    if (value.length() > MAX_LENGTH) {
      throw new IllegalArgumentException(
          "an id has at most " + MAX_LENGTH + " characters, found " + value.length());
    }
    if (value.chars().anyMatch(Character::isISOControl)) {
      throw new IllegalArgumentException("an id must not contain control characters");
    }
  }
}
