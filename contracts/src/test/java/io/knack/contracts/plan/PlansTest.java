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

  /** What a text field holds is what was written. */
  public record Texts(
      @Nullable String revision,
      @Nullable String name,
      List<String> input,
      Map<String, String> set,
      @Nullable Path model,
      @Address @Nullable String endpoint,
      @Address List<String> replicas) {}

  @Test
  void textsAreTakenAsWritten() throws IOException {
    assertThat(
            Plans.read(
                Texts.class,
                write(
                    "{name: org/base, revision: 0777, input: [0777, 1.10, true, '01'], model: 12}"),
                List.of("set.train.x=1", "set={a: 12e5, b: .nan}")))
        .isEqualTo(
            new Texts(
                "0777",
                "org/base",
                List.of("0777", "1.10", "true", "01"),
                Map.of("a", "12e5", "b", ".nan"),
                Path.of("12"),
                null,
                List.of()));
    assertThat(Plans.read(Texts.class, null, List.of("revision=12e5", "name=")))
        .isEqualTo(new Texts("12e5", null, List.of(), Map.of(), null, null, List.of()));
  }

  @Test
  void nothingOfAPlanIsPassedOver() throws IOException {
    assertThatThrownBy(() -> Plans.read(Texts.class, write("name: a\n---\nnone: b\n"), List.of()))
        .isInstanceOf(PlanException.class)
        .hasMessageContaining("has a second document (line 3), expected one");
    assertThatThrownBy(() -> Plans.read(Texts.class, null, List.of("name=a\n---\nb")))
        .hasMessageContaining("--set name: the value has a second document");
    assertThatThrownBy(
            () -> Plans.read(Texts.class, write("name: &i a\nrevision: *i\n"), List.of()))
        .isInstanceOf(PlanException.class)
        .hasMessageContaining("has an alias *i (line 2); a plan has none: write out");
    assertThatThrownBy(
            () -> Plans.read(Texts.class, null, List.of("input=[null, a]", "set={a: ~}")))
        .hasMessageContainingAll(
            "input[0]: must not be null; where the text is meant, write 'null' in quotes",
            "set.a: must not be null");
    Path latin = Files.write(directory.resolve("latin.yaml"), new byte[] {'a', ':', (byte) 0xe4});
    assertThatThrownBy(() -> Plans.read(Texts.class, latin, List.of()))
        .isInstanceOf(PlanException.class)
        .hasMessageContaining("it is no UTF-8 text; save it in the encoding UTF-8");
    assertThatThrownBy(() -> Plans.read(Texts.class, directory, List.of()))
        .hasMessageContaining("it is a directory");
  }

  @Test
  void addressesAreCheckedAndTheirSecretsNotRepeated() {
    assertThatThrownBy(
            () ->
                Plans.read(
                    Texts.class,
                    null,
                    List.of(
                        "endpoint=http://u:s3cret@127.0.0.1:9/v1",
                        "replicas=[ftp://gpu, http://vllm_1:8000, http://gpu:8000, 'http://u:s3c/ret@h',"
                            + " 'http://gpu/v1?key=s3c']",
                        "model=http://s3cret@h",
                        "set={a: '[https://u:s3cret@h]', b: 'https?://[^@]+@'}")))
        .isInstanceOf(PlanException.class)
        .hasMessageContainingAll(
            "7 problems",
            "endpoint: must not hold a user name or password in an address",
            "replicas[0]: is 'ftp://gpu', expected an http or https address",
            "replicas[1]: has an underscore in its host, 'vllm_1:8000'",
            "replicas[3]: is 'http://***@h', expected",
            "replicas[4]: must end with its path, without '?'",
            "model: must not hold",
            "set.a: must not hold")
        .hasMessageNotContainingAny("s3c");
  }

  /** Speaks for itself, whatever else is wrong. */
  public record Judged(
      @Default("0.6") @Range(min = 0, max = 1) double first,
      @Default("0.2") @Range(min = 0, max = 1) double second,
      @Default("a") String letter,
      @Default("1") int number) {
    public Judged {
      List<String> problems = new java.util.ArrayList<>();
      if (first + second > 1) {
        problems.add("first and second: add up to " + (first + second) + ", expected at most 1");
      }
      if (!letter.equals("a")) {
        problems.add("letter: is " + letter + ", expected a");
      }
      if (number == 13) {
        problems.add("number: is 13, expected luck");
      }
      if (!problems.isEmpty()) {
        throw new PlanException(problems);
      }
    }
  }

  @Test
  void theRecordIsAskedEvenWhenAComponentIsWrong() {
    assertThatThrownBy(
            () ->
                Plans.read(
                    Judged.class,
                    null,
                    List.of("first=7", "second=0.9", "letter=b", "number=13", "nmber=1")))
        .as("first is in doubt, and so is number, which the unknown key may mean")
        .hasMessageContainingAll(
            "3 problems",
            "first: is 7, expected 0 to 1",
            "nmber: unknown key; did you mean number?",
            "letter: is b, expected a");
    assertThatThrownBy(
            () -> Plans.read(Judged.class, null, List.of("first=0.9", "letter=b", "number=13")))
        .hasMessageContainingAll("3 problems", "\n  first and second", "\n  letter", "\n  number");
  }

  @Test
  void whatAFileLeavesToDefaultsIsKnown() throws IOException {
    Path file =
        write("{min_subjects: 3, learning_rate: 1, color: red, inner: {names: a}, share: 1}");
    assertThat(Plans.leftOut(Sample.class, file))
        .containsExactly("patience", "model", "inner.share", "counts");
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
