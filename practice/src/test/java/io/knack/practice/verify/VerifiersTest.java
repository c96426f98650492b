package io.knack.practice.verify;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.knack.contracts.VerifierSpec;
import io.knack.contracts.stage.PlanException;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class VerifiersTest {
  private static Verifier of(String kind, String... options) {
    Map<String, String> map = new java.util.HashMap<>();
    for (int i = 0; i < options.length; i += 2) {
      map.put(options[i], options[i + 1]);
    }
    return Verifiers.of(new VerifierSpec(kind, map));
  }

  private static double score(Verifier verifier, String answer, @Nullable String reference) {
    Verification said = verifier.verify("problem", answer, reference);
    assertThat(said.fault()).isNull();
    assertThat(said.cost().verifierCalls()).isEqualTo(1);
    return said.score();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          A: Paris                         | paris   | 1
          The answer is simple.\\nAnswer: Paris. | Paris | 1
          **Answer:** Paris                | Paris   | 1
          Final answer:  Paris             | Paris   | 1
          A: London\\nA: Paris             | Paris   | 1
          A: Paris\\nA: London             | Paris   | 0
          thinking\\nParis                 | Paris   | 1
          so \\boxed{Paris}                | Paris   | 1
          #### Paris                       | Paris   | 1
          A: ＰＡＲＩＳ                      | paris   | 1
          """)
  void exact(String answer, String reference, double expected) {
    assertThat(score(of("exact"), answer.replace("\\n", "\n"), reference)).isEqualTo(expected);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          A: 1,234.50            | 1234.5     | ignore  | 1
          A: $1234.5             | 1234.50    | ignore  | 1
          A: -$3                 | -3         | ignore  | 1
          A: −3                  | -3         | ignore  | 1
          it is 4 or 5, so 5     | 5          | ignore  | 1
          A: 5 apples, not 6\\n  | 5          | ignore  | 0
          A: 3/4                 | 0.75       | ignore  | 1
          A: 1.5e3               | 1500       | ignore  | 1
          A: .5                  | 0.5        | ignore  | 1
          A: 72                  | 48 + 24 = 72\\n#### 72 | ignore | 1
          A: 150 cm              | 1.5 m      | convert | 1
          A: 1.5 m               | 1.5 kg     | convert | 0
          A: 90 minutes          | 1.5 hours  | convert | 1
          A: 150 cm              | 1.5 m      | same    | 0
          A: 3 dollars           | $3         | convert | 1
          A: 3 apples            | 3 apple    | same    | 1
          A: 3                   | 3 kg       | same    | 0
          A: 3 kg                | 3          | same    | 1
          no idea                | 3          | ignore  | 0
          A: 1e999               | 3          | ignore  | 0
          A: 1/0                 | 3          | ignore  | 0
          """)
  void numeric(String answer, String reference, String units, double expected) {
    assertThat(
            score(
                of("numeric", "units", units),
                answer.replace("\\n", "\n"),
                reference.replace("\\n", "\n")))
        .isEqualTo(expected);
  }

  @Test
  void numericTolerances() {
    assertThat(score(of("numeric", "tolerance", "0.01"), "A: 3.141", "3.1416")).isEqualTo(1);
    assertThat(score(of("numeric"), "A: 3.141", "3.1416")).isZero();
    assertThat(score(of("numeric", "relative_tolerance", "0.01"), "A: 1009", "1000")).isEqualTo(1);
    assertThat(score(of("numeric", "relative_tolerance", "0.01"), "A: 1011", "1000")).isZero();
  }

  @Test
  void aMissingReferenceIsAFaultNotAWrongAnswer() {
    for (String kind : new String[] {"exact", "numeric", "choice"}) {
      Verification said = of(kind).verify("p", "A: 1", null);
      assertThat(said.fault()).as(kind).contains("reference");
      assertThat(said.score()).isZero();
    }
  }

  @Test
  void hostileAnswersScoreAndEndInTime() {
    String digits = "9".repeat(200_000);
    String open = "{".repeat(100_000) + "\\boxed{".repeat(10_000);
    for (Verifier verifier :
        new Verifier[] {
          of("exact"),
          of("numeric"),
          of("choice"),
          of("regex", "pattern", "x"),
          of("json_schema", "schema", "{}"),
          of("agreement")
        }) {
      for (String answer :
          new String[] {
            "",
            "\0",
            digits,
            open,
            "A:",
            "A: ",
            "A: " + digits,
            "a ".repeat(100_000),
            "\ud800",
            "1 000".repeat(20_000),
            "A: " + "1/".repeat(2000)
          }) {
        long started = System.nanoTime();
        assertThat(verifier.verify("p", answer, "1").score()).isBetween(0.0, 1.0);
        assertThat(System.nanoTime() - started).isLessThan(5_000_000_000L);
      }
    }
  }

  @Test
  void regexFindsMatchesAndIsStoppedWhenItRunsAway() {
    assertThat(score(of("regex", "pattern", "\\bok\\b"), "it is ok now", null)).isEqualTo(1);
    assertThat(score(of("regex", "pattern", "ok", "mode", "match"), "it is ok", null)).isZero();
    Verification stopped =
        of("regex", "pattern", "^(a|aa)+\\1$", "timeout", "50ms")
            .verify("p", "a".repeat(90) + "b", null);
    assertThat(stopped.score()).isZero();
    assertThat(stopped.reason()).contains("more than 50 ms");
    assertThat(of("regex", "pattern", "(a|b)*c").verify("p", "ab".repeat(50_000), null).score())
        .isZero();
  }

  @Test
  void jsonSchema() {
    Verifier verifier =
        of(
            "json_schema",
            "schema",
            """
            {"type":"object","required":["n"],"properties":{"n":{"type":"integer"}},
             "additionalProperties":false}\
            """);
    assertThat(score(verifier, "{\"n\": 3}", null)).isEqualTo(1);
    assertThat(score(verifier, "Here:\n```json\n{\"n\": 3}\n```", null)).isEqualTo(1);
    assertThat(score(verifier, "{\"n\": \"3\"}", null)).isZero();
    assertThat(score(verifier, "{\"n\": 3} trailing", null)).isZero();
    assertThat(score(verifier, "{\"n\": 3, \"n\": 4}", null)).isZero();
    assertThat(score(verifier, "[".repeat(100_000), null)).isZero();
    Verifier equal = of("json_schema", "schema", "{}", "equals_reference", "true");
    assertThat(score(equal, "{\"b\":1,\"a\":2}", "{\"a\":2,\"b\":1}")).isEqualTo(1);
    assertThat(score(equal, "{\"b\":1}", "{\"a\":2}")).isZero();
  }

  @Test
  void schemasAreNeverFetched() {
    assertThatThrownBy(() -> of("json_schema", "schema", "{\"$ref\":\"http://127.0.0.1:1/s\"}"))
        .isInstanceOf(PlanException.class)
        .hasMessageContaining("option schema");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          A: B                      | B   | 1
          A: (b)                    | B   | 1
          A: B) the second          | B   | 1
          Answer: option C          | C   | 1
          The answer is B, not A... | B   | 0
          A: A dog, so D            | D   | 1
          I think (C) fits.         | C   | 1
          none of them              | C   | 0
          A: B                      | (B) | 1
          """)
  void choice(String answer, String reference, double expected) {
    assertThat(score(of("choice"), answer, reference)).isEqualTo(expected);
  }

  @Test
  void everyMistakeIsNamedAtOnce() {
    assertThatThrownBy(() -> of("numeric", "tolerance", "-1", "unit", "same", "units", "bogus"))
        .isInstanceOf(PlanException.class)
        .hasMessageContaining("option tolerance: found '-1', expected a number from 0.0")
        .hasMessageContaining("option units: found 'bogus', expected one of ignore, same, convert")
        .hasMessageContaining(
            "unknown option 'unit'; it knows [relative_tolerance, tolerance, units]");
    assertThatThrownBy(() -> of("oracle"))
        .hasMessageContaining("no verifier is called 'oracle'; choose one of exact");
    assertThatThrownBy(() -> of("regex", "pattern", "("))
        .hasMessageContaining("a regular expression");
    assertThatThrownBy(() -> of("command", "command", "[]"))
        .hasMessageContaining("a JSON array of strings");
    assertThatThrownBy(() -> of("command", "command", "x", "memory", "much", "timeout", "long"))
        .hasMessageContaining("a size such as 512m")
        .hasMessageContaining("a duration such as 500ms");
  }

  @Test
  void oneVerifierPerSpec() {
    try (Verifiers verifiers = new Verifiers(java.nio.file.Path.of("."), null)) {
      VerifierSpec spec = new VerifierSpec("exact", Map.of());
      assertThat(verifiers.verifier(spec))
          .isSameAs(verifiers.verifier(new VerifierSpec("exact", Map.of())))
          .isNotSameAs(verifiers.verifier(new VerifierSpec("numeric", Map.of())));
    }
  }
}
