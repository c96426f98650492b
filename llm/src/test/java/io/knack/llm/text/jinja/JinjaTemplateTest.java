package io.knack.llm.text.jinja;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class JinjaTemplateTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Clock CLOCK =
      Clock.fixed(Instant.parse("2026-03-05T14:07:09Z"), ZoneOffset.UTC);

  private static String render(String template) {
    return render(template, Map.of(), Limits.DEFAULT);
  }

  private static String render(String template, Map<String, Object> variables, Limits limits) {
    return JinjaTemplate.parse(template, limits, CLOCK).render(variables).text();
  }

  private static Limits limits(long steps, int characters) {
    return new Limits(steps, characters, 1000, 50, Duration.ofSeconds(20));
  }

  /** What Jinja itself made of each, under the settings of transformers: see chat_templates.py. */
  @TestFactory
  Stream<DynamicTest> constructsRenderAsInJinja() {
    JsonNode file = resource("/chat/constructs.json");
    Map<String, Object> variables =
        JSON.convertValue(
            file.path("variables"),
            JSON.getTypeFactory().constructMapType(Map.class, String.class, Object.class));
    return StreamSupport.stream(file.path("constructs").spliterator(), false)
        .map(
            construct -> {
              String template = construct.path("template").textValue();
              JsonNode expected = construct.path("expected");
              return DynamicTest.dynamicTest(
                  template,
                  () -> {
                    if (expected.isObject()) {
                      assertThatThrownBy(() -> render(template, variables, Limits.DEFAULT))
                          .as(expected.path("error").asText())
                          .isInstanceOf(TemplateException.class);
                    } else {
                      assertThat(render(template, variables, Limits.DEFAULT))
                          .isEqualTo(expected.textValue());
                    }
                  });
            });
  }

  @Test
  void namesWhatItDoesNotKnow() {
    assertThatThrownBy(() -> render("a\n{% include 'x' %}"))
        .isInstanceOf(TemplateException.class)
        .hasMessage("line 2: unknown tag 'include'");
    assertThatThrownBy(() -> render("{% if false %}{{ 1 | xmlattr }}{% endif %}"))
        .hasMessage("line 1: unknown filter 'xmlattr'");
    assertThatThrownBy(() -> render("{{ 1 is prime }}")).hasMessage("line 1: unknown test 'prime'");
    assertThatThrownBy(() -> render("\n\n{{ 'a'.encode('utf8') }}"))
        .hasMessage("line 3: unknown function: a string has no 'encode'");
    assertThatThrownBy(() -> render("{{ lipsum() }}")).hasMessage("line 1: unknown name 'lipsum'");
    assertThatThrownBy(() -> render("{{ nosuch() }}"))
        .hasMessage("line 1: unknown function: 'nosuch' is undefined");
    assertThatThrownBy(() -> render("{{ {} | tojson(foo=1) }}"))
        .hasMessage("line 1: unknown argument 'foo' of tojson");
    assertThatThrownBy(() -> render("{{ f(*args) }}"))
        .hasMessage("line 1: unknown argument form '*'");
  }

  @Test
  void saysWhereTheSyntaxIsWrong() {
    assertThatThrownBy(() -> render("{% if x %}\n{% for i in l %}\n{% endif %}"))
        .hasMessage("line 3: 'for' of line 2 wants 'endfor', found 'endif'");
    assertThatThrownBy(() -> render("{{ 1 + }}"))
        .hasMessage("line 1: expected a value, found '}}'");
    assertThatThrownBy(() -> render("a {{ b"))
        .hasMessage("line 1: the tag is not closed with '}}'");
    assertThatThrownBy(() -> render("{% break %}")).hasMessage("line 1: 'break' outside of a loop");
  }

  @Test
  void marksWhatTheAssistantSays() {
    JinjaTemplate.Rendered rendered =
        JinjaTemplate.parse(
                "{% for i in [1, 2] %}<{% generation %}a{{ i }}{% endgeneration %}>{% endfor %}",
                Limits.DEFAULT, CLOCK)
            .render(Map.of());
    assertThat(rendered.text()).isEqualTo("<a1><a2>");
    assertThat(rendered.generated())
        .containsExactly(new JinjaTemplate.Span(1, 3), new JinjaTemplate.Span(5, 7));
    assertThatThrownBy(() -> render("{% set x %}{% generation %}{% endgeneration %}{% endset %}"))
        .hasMessageContaining("'generation' inside a macro or set block");
  }

  @Test
  void tellsTheTimeOfTheClock() {
    assertThat(render("{{ strftime_now('%d %b %Y, %A %B %H:%M:%S %I%p %j %y-%m 100%%') }}"))
        .isEqualTo("05 Mar 2026, Thursday March 14:07:09 02PM 064 26-03 100%");
    assertThatThrownBy(() -> render("{{ strftime_now('%Q') }}"))
        .hasMessage("line 1: unknown directive %Q of strftime_now");
  }

  @Test
  void boundsOutputStepsListsAndDepth() {
    assertThatThrownBy(
            () -> render("{% for i in range(900) %}12345{% endfor %}", Map.of(), limits(9999, 99)))
        .hasMessage("an output longer than 99 characters");
    assertThatThrownBy(
            () ->
                render(
                    "{% set ns = namespace(s='ab') %}{% for i in range(99) %}"
                        + "{% set ns.s = ns.s + ns.s %}{% endfor %}",
                    Map.of(), limits(9999, 5000)))
        .hasMessage("line 1: a text longer than 5000 characters");
    assertThatThrownBy(
            () ->
                render(
                    "{% for i in range(999) %}{% for j in range(999) %}{% endfor %}{% endfor %}",
                    Map.of(), limits(5000, 99)))
        .hasMessageContaining("more than 5000 steps");
    for (String bomb :
        new String[] {
          "{{ 'x' * 100000000000 }}",
          "{{ ('x' * 4000).replace('x', 'y' * 4000) }}",
          "{{ 'a'.ljust(100000000) }}",
          "{{ ['x' * 4000] * 1000 | join }}",
          "{{ range(1000) | list + range(1000) | list }}",
          "{{ range(100000000000) }}",
          "{{ '%9999999d' % 1 }}",
          "{{ 2 ** 64 }}",
          "{{ 9223372036854775807 + 1 }}",
          "{{ -9223372036854775808 | abs }}",
          "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
          "{{ " + "(".repeat(5000) + "1" + ")".repeat(5000) + " }}",
          "{{ " + "-".repeat(5000) + "1 }}",
          "{{ " + "not ".repeat(5000) + "1 }}",
          "{% if 1 %}".repeat(5000) + "{% endif %}".repeat(5000),
          "{{ [" + "[".repeat(5000) + "]".repeat(5000) + "] }}",
        }) {
      assertThatThrownBy(() -> render(bomb, Map.of(), limits(100_000, 5000)))
          .as(bomb.substring(0, Math.min(60, bomb.length())))
          .isInstanceOf(TemplateException.class);
    }
  }

  /** Few steps each, so that what they do inside of one step must be counted. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "{{ range(-9223372036854775807, 9223372036854775807) }}",
        "{{ range(9223372036854775807, -9223372036854775807, -1) }}",
        DOUBLED + "{{ ns.a }}",
        DOUBLED + "{{ ns.a | tojson }}",
        DOUBLED + "{{ ns.a == ns.b }}",
        DOUBLED + "{{ ns.a < ns.b }}",
        DOUBLED + "{{ ns.a in [ns.b] }}",
        DOUBLED + "{{ [ns.a].index(ns.b) }}",
        DOUBLED + "{{ [ns.a, ns.b] | unique | list }}",
        DOUBLED + "{{ {ns.a: 1} }}",
        DOUBLED + "{{ {}[ns.a] }}",
        DOUBLED + "{{ {}.get(ns.a) }}",
        DOUBLED + "{{ dict([(ns.a, 1)]) }}",
        DOUBLED + "{{ ns.a in {} }}",
        LONG + "{{ s.rsplit('A', 16000000) }}",
        LONG + "{{ ([s] * 1000) | sort | length }}",
        LONG + "{{ ([s] * 1000) | unique | list | length }}",
        LONG + "{{ ([s * 9] * 1000) | map('upper') | list | length }}",
        LONG + "{{ ([s * 9] * 1000) | select('upper') | list | length }}",
        LONG + "{{ ([s] * 1000) | max }}",
        LONG + "{{ ([s] * 1000) | join }}",
        LONG + "{{ ([s * 9 ~ 'a'] * 1000).count(s * 9 ~ 'b') }}",
        LONG + "{{ (s * 9).strip(s) }}",
        LONG + "{% for i in range(1000) %}{% set x = s ~ i %}{% endfor %}",
        LONG + "{% for i in range(1000) %}{% set x = s + s %}{% endfor %}",
        LONG + "{% for i in range(1000) %}{% set x = s * 2 %}{% endfor %}",
        LONG + "{% for i in range(1000) %}{% set x %}{{ s }}{% endset %}{% endfor %}",
        LONG + "{% for i in range(1000) %}{% set x = (' ' ~ s).split() %}{% endfor %}",
        LONG + "{% for i in range(1000) %}{% set x = [0] * 1000 %}{% endfor %}",
        LONG + "{% for i in range(1000) %}{% set x = range(1000) %}{% endfor %}",
        LONG
            + "{% for i in range(1000) %}{% set x = {'a': 1}.items() %}{% endfor %}"
            + "{% for i in range(99) %}{% set x = range(1000) | sum %}{% endfor %}",
        LONG + "{{ [[[[[[1]]]]]] | tojson(indent=s * 9) }}",
        "{{ 'x'.ljust(15000000) }}",
        "{{ '%99999999s%99999999s' % (1, 1) }}",
        "{{ '%99999999999999999999d' % 1 }}",
        "{{ '%.99999999f' % 1 }}",
        "{{ ('a' * 90000) | list }}",
        "{% for c in 'a' * 90000 %}{% endfor %}",
      })
  void boundsWhatASingleExpressionDoes(String bomb) {
    Limits limits = new Limits(1_000_000, 100_000, 1000, 50, Duration.ofSeconds(20));
    assertThatThrownBy(() -> render(bomb, Map.of(), limits))
        .isInstanceOfSatisfying(
            TemplateException.class,
            e -> assertThat(e.kind()).isEqualTo(TemplateException.Kind.LIMIT));
  }

  /** Two equal values of 2 to the 60 elements, in little memory. */
  private static final String DOUBLED =
      "{% set ns = namespace(a=('x',), b=('x',)) %}{% for i in range(60) %}"
          + "{% set ns.a = (ns.a, ns.a) %}{% set ns.b = (ns.b, ns.b) %}{% endfor %}";

  private static final String LONG = "{% set s = 'A' * 10000 %}";

  /** Expected values from Python. */
  @ParameterizedTest
  @CsvSource({
    "'{{ ''0x1f'' | int(0, 16) }}', 31",
    "'{{ ''-0B101'' | int(0, 2) }}', -5",
    "'{{ ''0o17'' | int(0, 0) }}', 15",
    "'{{ ''0x'' | int(7, 16) }}', 7",
    "'{{ ''0x-5'' | int(7, 16) }}', 7",
    "'{{ ''0x1f'' | int(7) }}', 7",
    "'{{ (''a\n'' ~ ''b'') | indent(300) | length }}', 303",
  })
  void numbersAndMarginsAreThoseOfPython(String template, String expected) {
    assertThat(render(template)).isEqualTo(expected);
  }

  @Test
  void aMarginWiderThanAnybodyReadsIsRefused() {
    assertThatThrownBy(() -> render("{{ 'a\\nb' | indent(1001) }}"))
        .hasMessageContaining("indent by 1001 is more than 1000");
  }

  @ParameterizedTest
  @CsvSource({
    "{{ ('a' * 8000000).find('a' * 4000000 ~ 'b') }}, -1",
    "{{ ('a' * 8000000).rfind('b' ~ 'a' * 4000000) }}, -1",
    "{{ ('a' * 8000000).count('a' * 4000000 ~ 'b') }}, 0",
    "{{ ('a' * 4000000 ~ 'b') in ('a' * 8000000) }}, False",
    "{{ ('a' * 8000000).split('a' * 4000000 ~ 'b') | length }}, 1",
    "'{{ (''a'' * 8000000).replace(''a'' * 4000000 ~ ''b'', ''-'') | length }}', 8000000",
    "'{{ 1.5 | round(200000000) }}', 1.5",
  })
  void worksInLinearTime(String template, String expected) {
    assertThat(render(template)).isEqualTo(expected);
  }

  @Test
  void refusesNumbersThatAreTooBig() {
    assertThatThrownBy(() -> render("{{ messages.99999999999999999999 }}"))
        .hasMessage("line 1: the number 99999999999999999999 is too big");
    assertThatThrownBy(() -> render("{{ [[]] | map(attribute='99999999999999999999') | list }}"))
        .hasMessage("line 1: the number 99999999999999999999 is too big");
    assertThatThrownBy(() -> render("{{ 1e300 | int }}"))
        .hasMessage("line 1: the number 1e+300 is too big");
  }

  @Test
  void refusesWhatIsNestedDeeperThanTheStack() {
    Limits deep = new Limits(99_999_999, 16_000_000, 100_000, 10_000_000, Duration.ofSeconds(20));
    for (String nested :
        new String[] {
          "{{ " + "(".repeat(100_000) + "1" + ")".repeat(100_000) + " }}",
          "{{ 1" + " + 1".repeat(100_000) + " }}",
          "{% set ns = namespace(a=1) %}{% for i in range(99999) %}{% set ns.a = [ns.a] %}"
              + "{% endfor %}{{ ns.a }}",
        }) {
      assertThatThrownBy(() -> render(nested, Map.of(), deep)).hasMessage("nested too deep");
    }
  }

  @Test
  void tuplesWithTheSameHashHaveAnOrder() {
    Map<Object, Object> map = new HashMap<>();
    for (long i = 0; i < 50_000; i++) {
      map.put(Tuple.of(i, 31 * (50_000 - i), Tuple.of("Aa")), i);
    }
    assertThat(map.keySet().stream().map(Object::hashCode).distinct()).hasSize(1);
    assertThat(map.get(Tuple.of(7L, 31 * 49_993L, Tuple.of("Aa")))).isEqualTo(7L);
    assertThat(map.get(Tuple.of(7L, 31 * 49_993L, Tuple.of("BB")))).isNull();
  }

  @Test
  void boundsTime() {
    Limits brief = new Limits(Long.MAX_VALUE, 1000, 100_000, 50, Duration.ofMillis(50));
    assertThatThrownBy(
            () ->
                render(
                    "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor"
                        + " %}",
                    Map.of(), brief))
        .hasMessageContaining("longer than 50 ms");
  }

  @Test
  void seesNoJava() {
    assertThatThrownBy(() -> render("{{ x }}", Map.of("x", new Object()), Limits.DEFAULT))
        .hasMessage("a java.lang.Object is no template value");
    assertThat(render("{{ 'a'.getClass is defined }}{{ [].getClass }}{{ {}.class }}"))
        .isEqualTo("False");
  }

  @Test
  void randomTextNeverEndsInAnythingButATemplateException() {
    String[] pieces = {
      "{{", "}}", "{%", "%}", "{#", "#}", "-", " if ", " for ", "endfor", "endif", " in ", "x", "|",
      ".", "[", "]", "(", ")", "'", "\n", " set ", "=", "1", "~", ":", "{", "}", " is ", "join",
      "raw"
    };
    long seed = 20261123;
    java.util.Random random = new java.util.Random(seed);
    for (int i = 0; i < 20_000; i++) {
      StringBuilder template = new StringBuilder();
      for (int j = random.nextInt(25); j >= 0; j--) {
        template.append(pieces[random.nextInt(pieces.length)]);
      }
      try {
        render(template.toString(), Map.of("x", "abc"), limits(10_000, 1000));
      } catch (TemplateException expected) {
        assertThat(expected.getMessage()).isNotBlank();
      }
    }
  }

  static JsonNode resource(String name) {
    try (InputStream in = JinjaTemplateTest.class.getResourceAsStream(name)) {
      return JSON.readTree(Objects.requireNonNull(in, name));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
