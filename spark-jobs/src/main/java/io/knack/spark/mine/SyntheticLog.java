package io.knack.spark.mine;

import io.knack.contracts.Attempt;
import io.knack.contracts.Budget;
import io.knack.contracts.Interaction;
import io.knack.contracts.Message;
import io.knack.contracts.Outcome;
import io.knack.contracts.id.InteractionId;
import io.knack.contracts.id.SubjectId;
import java.io.Serial;
import java.io.Serializable;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;

/**
 * Logs of any length with a known truth, for measuring cost and quality at scale.
 *
 * <p>A log of n rows holds {@code 2 sqrt(n)} families (at least 50); family r recurs in proportion
 * to 1/r (Zipf). A family is three concepts; a concept is three made-up synonyms, used 60, 25 and
 * 15 times in a hundred, and every concept serves two families on average. {@value #NOISE} of the
 * rows are noise: words at random, in no family. Of the others {@value #PARAPHRASE} are rephrased:
 * another frame, synonyms drawn anew, now and then another order, a courtesy before or after; the
 * rest keep the family's first wording. Every row has numbers of its own. Row i depends on the seed
 * and i alone.
 */
final class SyntheticLog implements Serializable {
  @Serial private static final long serialVersionUID = 1L;

  static final double NOISE = 0.1;
  static final double PARAPHRASE = 0.5;

  private static final String[] FRAMES = {
    "how do i %s the %s of my %s",
    "can you tell me why the %2$s does not %1$s with %3$s",
    "i want to %s a %s for %s",
    "what happens to %2$s when i %1$s my %3$s",
    "please help, my %3$s needs to %1$s %2$s",
    "is there a way to %s %s without %s",
    "%s %s %s",
    "my %2$s will not %1$s, it says %3$s",
    "why was the %2$s of %3$s not %1$s yet",
    "where can i see %s and %s for my %s",
    "when will you %s the %s on %s",
    "could someone explain %2$s and %1$s of %3$s",
  };
  private static final String[] COURTESIES = {
    "hello, ", "hi there, ", "good morning. ", "quick question: ", "sorry to bother you, "
  };
  private static final String[] NUMBERS = {
    " order %d", " for %d dollars", " on day %d", " item %d", ""
  };
  private static final String[] SYLLABLES = {
    "ba", "do", "ki", "lu", "me", "no", "pra", "qui", "ras", "sto", "tem", "ur", "vol", "wan", "xi",
    "yel", "zor", "cha", "fen", "gri", "hol", "jan", "plo", "ser", "tig"
  };

  private final long rows;
  private final long seed;
  private final double[] cumulative;

  SyntheticLog(long rows, long seed) {
    this.rows = rows;
    this.seed = seed;
    int families = (int) Math.max(50, Math.round(2 * Math.sqrt((double) rows)));
    cumulative = new double[families];
    double total = 0;
    for (int r = 0; r < families; r++) {
      total += 1.0 / (r + 1);
      cumulative[r] = total;
    }
  }

  int families() {
    return cumulative.length;
  }

  /** Family of a row by rank, from 0 for the largest; -1 for noise. */
  int truth(long row) {
    return family(new Random(mix(row)));
  }

  private int family(Random random) {
    if (random.nextDouble() < NOISE) {
      return -1;
    }
    double at = random.nextDouble() * cumulative[cumulative.length - 1];
    int found = java.util.Arrays.binarySearch(cumulative, at);
    return Math.min(cumulative.length - 1, found < 0 ? -found - 1 : found);
  }

  String text(long row) {
    Random random = new Random(mix(row));
    int family = family(random);
    if (family < 0) {
      StringBuilder words = new StringBuilder();
      for (int i = 4 + random.nextInt(8); i > 0; i--) {
        words.append(word(random.nextInt(1 << 20))).append(' ');
      }
      return words.toString().strip();
    }
    boolean rephrased = random.nextDouble() < PARAPHRASE;
    Random own = new Random(mix(-1L - family));
    int[] concepts = new int[3];
    int pool = Math.max(3, families() * 3 / 2);
    for (int c = 0; c < 3; c++) {
      concepts[c] = own.nextInt(pool);
    }
    String frame = FRAMES[own.nextInt(FRAMES.length)];
    List<String> words = new ArrayList<>();
    for (int concept : concepts) {
      double at = rephrased ? random.nextDouble() : 0;
      words.add(word(concept * 3 + (at < 0.6 ? 0 : at < 0.85 ? 1 : 2)));
    }
    String before = "";
    if (rephrased) {
      frame = FRAMES[random.nextInt(FRAMES.length)];
      if (random.nextInt(4) == 0) {
        Collections.swap(words, 1, 2);
      }
      if (random.nextInt(3) == 0) {
        before = COURTESIES[random.nextInt(COURTESIES.length)];
      }
    }
    String number = NUMBERS[own.nextInt(NUMBERS.length)];
    return before + frame.formatted(words.toArray()) + number.formatted(random.nextInt(10_000));
  }

  Interaction interaction(long row) {
    Random random = new Random(mix(row) + 1);
    Outcome outcome = random.nextInt(10) < 7 ? Outcome.VERIFIED : Outcome.FAILED;
    long tokens = 50L + random.nextInt(200);
    return new Interaction(
        new InteractionId("s" + row),
        Instant.parse("2026-01-01T00:00:00Z").plusSeconds(row * 30 * 86_400 / rows),
        Interaction.NO_TENANT,
        new SubjectId("u" + random.nextInt((int) Math.max(50, rows / 20))),
        null,
        List.of(Message.user(text(row))),
        null,
        null,
        null,
        List.of(new Attempt(null, "", 40, 0, tokens, null, outcome)),
        outcome,
        "log:verified",
        null,
        new Budget(40, 0, tokens, 1, 0, 0, 0, 0, 0),
        null,
        null,
        null,
        null,
        Map.of());
  }

  private long mix(long row) {
    long h = row * 0x9E3779B97F4A7C15L + seed;
    h = (h ^ (h >>> 30)) * 0xBF58476D1CE4E5B9L;
    h = (h ^ (h >>> 27)) * 0x94D049BB133111EBL;
    return h ^ (h >>> 31);
  }

  /** A made-up word for a number: two to four syllables. */
  private static String word(int number) {
    StringBuilder word = new StringBuilder();
    Random random = new Random(number * 0x5DEECE66DL + 11);
    for (int i = 2 + random.nextInt(3); i > 0; i--) {
      word.append(SYLLABLES[random.nextInt(SYLLABLES.length)]);
    }
    return word.toString();
  }
}
