package io.knack.contracts;

/** The version of this code, as in the project's pom. */
public final class KnackVersion {
  public static final String CURRENT = "0.1.0";

  private KnackVersion() {}
}
