package io.knack.contracts.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.knack.contracts.stage.PlanException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class PlansTest {
  @TempDir Path directory;

  /** Colours. */
  public enum Color {
    RED,
    DARK_BLUE
  }

  /** Nested. */
  public record Inner(@Default("0.5") @Range(min = 0, max = 1) double share, List<String> names) {}

  /** Every kind of component. */
  public record Sample(
      @Default("5") @Range(min = 1) int minSubjects,
      @Default("2e-4") double learningRate,
      @Default("red") Color color,
      @Default("90s") Duration patience,
      @Nullable Path model,
      Inner inner,
      Map<String, Integer> counts,
      @Default("false") boolean share) {
    public Sample {
      if (minSubjects == 13) {
        throw new IllegalArgumentException("min_subjects: is 13, expected luck");
      }
    }
  }

  @Test
  void everyFieldHasADefault() {
    assertThat(Plans.read(Sample.class, null, List.of()))
        .isEqualTo(
            new Sample(
                5,
                2e-4,
                Color.RED,
                Duration.ofSeconds(90),
                null,
                new Inner(0.5, List.of()),
                Map.of(),
                false));
  }

  @Test
  void everyKeyIsMapped() throws IOException {
    Path file =
        write(
            """
            min_subjects: 3
            learning_rate: 1e-3
            color: dark_blue
            patience: 2h
            model: some/dir
            inner: {share: 1, names: one}
            counts: {a: 1, b: 2}
            share: true
            """);
    assertThat(Plans.read(Sample.class, file, List.of("inner.names=[x, y]", "min_subjects=4")))
        .isEqualTo(
            new Sample(
                4,
                1e-3,
                Color.DARK_BLUE,
                Duration.ofHours(2),
                Path.of("some/dir"),
                new Inner(1, List.of("x", "y")),
                Map.of("a", 1, "b", 2),
                true));
  }

  @Test
  void allProblemsAreReportedAtOnce() throws IOException {
    Path file =
        write(
            """
            min_subject: 3
            learning_rate: fast
            color: green
            patience: long
            inner: {share: 2}
            counts: [1]
            share: perhaps
            """);
    assertThatThrownBy(() -> Plans.read(Sample.class, file, List.of("nonsense")))
        .isInstanceOf(PlanException.class)
        .hasMessageContainingAll(
            "has 8 problems",
            "--set nonsense: expected path.to.field=value",
            "min_subject: unknown key; did you mean min_subjects?",
            "learning_rate: is \"fast\", expected a number",
            "color: is \"green\", expected one of red, dark_blue",
            "patience: is \"long\", expected a duration",
            "inner.share: is 2, expected 0 to 1",
            "counts: is [1], expected keys and values",
            "share: is \"perhaps\", expected true or false");
  }

  @Test
  void theRecordHasTheLastWord() {
    assertThatThrownBy(() -> Plans.read(Sample.class, null, List.of("min_subjects=13")))
        .isInstanceOf(PlanException.class)
        .hasMessageContaining("min_subjects: is 13, expected luck");
    assertThatThrownBy(() -> Plans.read(Sample.class, null, List.of("min_subjects=0")))
        .hasMessageContaining("min_subjects: is 0, expected at least 1");
  }

  @Test
  void whatIsNoPlanIsRefusedWithItsPlace() throws IOException {
    Path missing = directory.resolve("none.yaml");
    assertThatThrownBy(() -> Plans.read(Sample.class, missing, List.of()))
        .isInstanceOf(PlanException.class)
        .hasMessageContaining("no such file");
    assertThatThrownBy(() -> Plans.read(Sample.class, write("a: [1"), List.of()))
        .isInstanceOf(PlanException.class)
        .hasMessageContaining("is not YAML");
    assertThatThrownBy(
            () -> Plans.read(Sample.class, write("share: true\nshare: false\n"), List.of()))
        .isInstanceOf(PlanException.class)
        .hasMessageContaining("uplicate");
    assertThatThrownBy(() -> Plans.read(Sample.class, write("- 1\n"), List.of()))
        .hasMessageContaining("expected keys and values");
  }

  @Test
  void canonicalJsonIsSortedAndComplete() {
    assertThat(Plans.canonicalJson(Plans.read(Sample.class, null, List.of())))
        .isEqualTo(
            "{\"color\":\"red\",\"counts\":{},\"inner\":{\"names\":[],\"share\":0.5},"
                + "\"learning_rate\":2.0E-4,\"min_subjects\":5,\"model\":null,"
                + "\"patience\":\"PT1M30S\",\"share\":false}");
  }

  private Path write(String yaml) throws IOException {
    return Files.writeString(directory.resolve("plan.yaml"), yaml);
  }
}
