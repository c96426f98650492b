package io.knack.spark.imports.scrub;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

final class ScrubberTest {
  private static final Pattern LABEL = Pattern.compile("\\[\\[([A-Z_]+)\\|(.*?)\\]\\]");
  private final Scrubber scrubber = new Scrubber(List.of("US", "GB"), Map.of());

  /** Figures of docs/benchmarks.md. */
  private record Score(
      int labels, int found, int wrong, Map<String, String> byKind, List<String> misses) {
    double recall() {
      return found / (double) labels;
    }

    double precision() {
      return found / (double) (found + wrong);
    }

    void atLeast(double recall, double precision) {
      System.out.printf(
          "scrubbing: %d labels, recall %.3f, precision %.3f, %s%n",
          labels, recall(), precision(), byKind);
      assertThat(recall()).as("recall; %s", misses).isGreaterThanOrEqualTo(recall);
      assertThat(precision()).as("precision; %s", misses).isGreaterThanOrEqualTo(precision);
    }
  }

  private Score score(String file) throws IOException {
    int labels = 0;
    int found = 0;
    int wrong = 0;
    Map<String, int[]> kinds = new TreeMap<>();
    List<String> misses = new ArrayList<>();
    for (String line : labelled(file)) {
      String plain = LABEL.matcher(line).replaceAll(m -> Matcher.quoteReplacement(m.group(2)));
      String scrubbed = scrubber.session().scrub(plain);
      Matcher label = LABEL.matcher(line);
      int here = 0;
      while (label.find()) {
        labels++;
        here++;
        int[] kind = kinds.computeIfAbsent(label.group(1), k -> new int[2]);
        kind[1]++;
        if (scrubbed.contains(label.group(2))) {
          misses.add("missed " + label.group() + " in: " + scrubbed);
        } else {
          found++;
          kind[0]++;
        }
      }
      long placeholders = Pattern.compile("\\[[A-Z_]+_\\d+\\]").matcher(scrubbed).results().count();
      if (placeholders > here) {
        wrong += (int) placeholders - here;
        misses.add("too much: " + scrubbed);
      }
    }
    Map<String, String> byKind = new TreeMap<>();
    kinds.forEach((kind, counts) -> byKind.put(kind, counts[0] + "/" + counts[1]));
    return new Score(labels, found, wrong, byKind, misses);
  }

  @Test
  void findsWhatTheLabelledFileNamesAndNothingElse() throws IOException {
    score("labelled.txt").atLeast(0.95, 0.95);
  }

  /** Written from how people write, not from the rules: what they miss there is in the docs. */
  @Test
  void findsMostOfWhatPeopleWriteInTheirOwnWays() throws IOException {
    score("field.txt").atLeast(0.95, 0.98);
  }

  @Test
  void theSameValueGetsTheSamePlaceholder() {
    Scrubber.Session session = scrubber.session();

    assertThat(session.scrub("a@example.org and b@example.org"))
        .isEqualTo("[EMAIL_1] and [EMAIL_2]");
    assertThat(session.scrub("again b@example.org")).isEqualTo("again [EMAIL_2]");
    assertThat(scrubber.session().scrub("b@example.org")).isEqualTo("[EMAIL_1]");
  }

  @Test
  void scrubbingTwiceChangesNothing() throws IOException {
    for (String line : labelled("labelled.txt")) {
      String once = scrubber.session().scrub(LABEL.matcher(line).replaceAll("$2"));
      assertThat(scrubber.session().scrub(once)).isEqualTo(once);
    }
  }

  @Test
  void takesTheUsersOwnPatterns() {
    Scrubber own = new Scrubber(List.of(), Map.of("order", "ORD-\\d{6}"));

    assertThat(own.session().scrub("where is ORD-123456?")).isEqualTo("where is [ORDER_1]?");
  }

  private static List<String> labelled(String file) throws IOException {
    try (InputStream in =
        Objects.requireNonNull(ScrubberTest.class.getResourceAsStream("/scrub/" + file))) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8)
          .lines()
          .filter(line -> !line.startsWith("#") && !line.isBlank())
          .toList();
    }
  }
}
