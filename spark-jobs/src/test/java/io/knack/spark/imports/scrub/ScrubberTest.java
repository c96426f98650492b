package io.knack.spark.imports.scrub;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

final class ScrubberTest {
  private static final Pattern LABEL = Pattern.compile("\\[\\[([A-Z_]+)\\|(.*?)\\]\\]");
  private final Scrubber scrubber = new Scrubber(List.of("US", "GB"), Map.of());

  @Test
  void findsWhatTheLabelledFileNamesAndNothingElse() throws IOException {
    int labels = 0;
    int found = 0;
    int wrong = 0;
    List<String> misses = new ArrayList<>();
    for (String line : labelled()) {
      String plain = LABEL.matcher(line).replaceAll(m -> Matcher.quoteReplacement(m.group(2)));
      String scrubbed = scrubber.session().scrub(plain);
      Matcher label = LABEL.matcher(line);
      int here = 0;
      while (label.find()) {
        labels++;
        here++;
        if (scrubbed.contains(label.group(2))) {
          misses.add("missed " + label.group() + " in: " + scrubbed);
        } else {
          found++;
        }
      }
      long placeholders = Pattern.compile("\\[[A-Z_]+_\\d+\\]").matcher(scrubbed).results().count();
      if (placeholders > here) {
        wrong += (int) placeholders - here;
        misses.add("too much: " + scrubbed);
      }
    }
    double recall = found / (double) labels;
    double precision = found / (double) (found + wrong);
    System.out.printf(
        "scrubbing: %d labels, recall %.3f, precision %.3f%n", labels, recall, precision);
    assertThat(recall).as("recall; %s", misses).isGreaterThanOrEqualTo(0.95);
    assertThat(precision).as("precision; %s", misses).isGreaterThanOrEqualTo(0.95);
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
    for (String line : labelled()) {
      String once = scrubber.session().scrub(LABEL.matcher(line).replaceAll("$2"));
      assertThat(scrubber.session().scrub(once)).isEqualTo(once);
    }
  }

  @Test
  void takesTheUsersOwnPatterns() {
    Scrubber own = new Scrubber(List.of(), Map.of("order", "ORD-\\d{6}"));

    assertThat(own.session().scrub("where is ORD-123456?")).isEqualTo("where is [ORDER_1]?");
  }

  private static List<String> labelled() throws IOException {
    try (InputStream in =
        Objects.requireNonNull(ScrubberTest.class.getResourceAsStream("/scrub/labelled.txt"))) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8)
          .lines()
          .filter(line -> !line.startsWith("#") && !line.isBlank())
          .toList();
    }
  }
}
