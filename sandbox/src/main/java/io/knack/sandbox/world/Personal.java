package io.knack.sandbox.world;

import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;

/** What some customers say about themselves, for the import to scrub. All of it is made up. */
public final class Personal {
  private static final List<String> SURNAMES =
      List.of("Silva", "Novak", "Rossi", "Weber", "Lund", "Okoye", "Mori", "Haddad");

  private Personal() {}

  /** A sentence before a question, with an address or a telephone number in it. */
  public static String preface(SplittableRandom random) {
    String first = Words.pick(Words.PEOPLE, random);
    String last = Words.pick(SURNAMES, random);
    return random.nextBoolean()
        ? "I am "
            + first
            + " "
            + last
            + ", "
            + first.toLowerCase(Locale.ROOT)
            + "."
            + last.toLowerCase(Locale.ROOT)
            + "@example.com. "
        : "Call " + first + " on +44 20 7946 0" + (100 + random.nextInt(900)) + ". ";
  }
}
