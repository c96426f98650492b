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
 * to 1/r (Zipf). A family is {@value #CONCEPTS} concepts; a concept is three made-up synonyms, used
 * 60, 25 and 15 times in a hundred, and every concept serves two families on average. Sentences are
 * put together of an opening, a middle that arranges the concepts, and a closing, the same for all
 * families. Of the rows {@value #NOISE} are noise: such a sentence of words at random, in no
 * family. Of the others {@value #PARAPHRASE} are rephrased: another sentence, synonyms drawn anew,
 * now and then another order, a courtesy before; the rest keep the family's first wording. Rows
 * have numbers of their own in four families of five. Row i depends on the seed and i alone.
 *
 * <p>A rephrased row shares two or more concept words with the first wording in 82 cases of 100,
 * one in 15: what a reader of the log could tell, and no more.
 */
final class SyntheticLog implements Serializable {
  @Serial private static final long serialVersionUID = 1L;

  static final double NOISE = 0.1;
  static final double PARAPHRASE = 0.5;
  private static final int CONCEPTS = 4;

  private static final String[] OPENINGS = {
    "how do i", "can you tell me how to", "i want to", "please help me to", "is there a way to",
    "what happens when i", "why can i not", "where can i", "could someone explain how to",
        "i need to"
  };
  private static final String[] MIDDLES = {
    "%s the %s of my %s in %s",
    "%s %s for %s with %s",
    "%1$s my %3$s and %2$s at the %4$s",
    "get %2$s to %1$s with %3$s after %4$s",
    "see %3$s and %4$s so that %2$s will %1$s",
    "%s a %s on %s by %s",
    "%1$s %2$s when %3$s says %4$s",
    "have the %4$s of %3$s %1$s %2$s"
  };
  private static final String[] CLOSINGS = {
    "", ", thanks", " today", " as soon as possible", ", it worked before", ", i tried it twice"
  };
  private static final String[] COURTESIES = {
    "hello, ", "hi there, ", "good morning. ", "quick question: ", "sorry to bother you, "
  };
  private static final String[] NUMBERS = {
    " order %d", " for %d dollars", " on day %d", " item %d", ""
  };
  private static final String CONSONANTS = "bcdfghjklmnpqrstvwxz";
  private static final String VOWELS = "aeiou";
  private static final int WORDS = 1_000_000;
  private static final long SPREAD = 618_033; // prime to WORDS: neighbours in number look unlike

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
      Object[] words = new Object[CONCEPTS];
      for (int c = 0; c < CONCEPTS; c++) {
        words[c] = word(random.nextInt(WORDS));
      }
      return frame(random).formatted(words)
          + NUMBERS[random.nextInt(NUMBERS.length)].formatted(random.nextInt(10_000));
    }
    boolean rephrased = random.nextDouble() < PARAPHRASE;
    Random own = new Random(mix(-1L - family));
    int[] concepts = new int[CONCEPTS];
    int pool = Math.max(CONCEPTS, families() * CONCEPTS / 2);
    for (int c = 0; c < CONCEPTS; c++) {
      concepts[c] = own.nextInt(pool);
    }
    String frame = frame(own);
    List<String> words = new ArrayList<>();
    for (int concept : concepts) {
      double at = rephrased ? random.nextDouble() : 0;
      words.add(word(concept * 3 + (at < 0.6 ? 0 : at < 0.85 ? 1 : 2)));
    }
    String before = "";
    if (rephrased) {
      frame = frame(random);
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

  private static String frame(Random random) {
    return OPENINGS[random.nextInt(OPENINGS.length)]
        + ' '
        + MIDDLES[random.nextInt(MIDDLES.length)]
        + CLOSINGS[random.nextInt(CLOSINGS.length)];
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

  /** A made-up word for a number: another for each number below {@value #WORDS}. */
  private static String word(int number) {
    StringBuilder word = new StringBuilder();
    for (int left = (int) (number * SPREAD % WORDS), i = 0; i < 3; i++, left /= 100) {
      word.append(CONSONANTS.charAt(left % 100 / 5)).append(VOWELS.charAt(left % 5));
    }
    return word.toString();
  }
}
