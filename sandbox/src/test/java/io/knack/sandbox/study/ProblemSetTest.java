package io.knack.sandbox.study;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.knack.contracts.Example;
import io.knack.contracts.Split;
import io.knack.contracts.VerifierSpec;
import io.knack.contracts.stage.ContractException;
import io.knack.sandbox.world.Problem;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ProblemSetTest {
  @TempDir Path temp;

  @Test
  void anyProblemSetWithLevelsCanBeStudied() throws IOException {
    StringBuilder lines = new StringBuilder();
    for (int i = 0; i < 5; i++) {
      lines.append(
          """
          {"level":"learn","cluster":"sums","prompt":"%d+1?","reference":"%d"}
          """
              .formatted(i, i + 1));
    }
    lines.append(
        """
        {"level":"anchor","prompt":"who?","reference":"me","verifier":"exact"}

        {"level":"S1","prompt":"0+1?","reference":"1","tenant":"acme"}
        {"level":"S3","prompt":"7+1?","reference":"8"}
        {"level":"S3","prompt":"9+1?","reference":"10"}
        """);
    ProblemSet set = ProblemSet.read(Files.writeString(temp.resolve("set.jsonl"), lines));
    assertThat(set.known())
        .extracting(Example::split)
        .containsExactly(
            Split.TRAIN,
            Split.TRAIN,
            Split.TRAIN,
            Split.VALIDATION,
            Split.VALIDATION,
            Split.ANCHOR);
    assertThat(set.known().get(5).verifier().kind()).isEqualTo("exact");
    assertThat(set.levels().keySet()).containsExactly("S1", "S3");
    assertThat(set.atMost(1).levels().get("S3")).hasSize(1);
    assertThat(set.atMost(1).routed().get("S3")).hasSize(2);
  }

  @Test
  void whatIsWrongWithAProblemSetIsTold() throws IOException {
    assertThatThrownBy(() -> ProblemSet.read(temp.resolve("none")))
        .isInstanceOf(ContractException.class)
        .hasMessageContaining("there is no problem set");
    for (Map.Entry<String, String> bad :
        Map.of(
                "{\"level\":\"S9\",\"prompt\":\"p\",\"reference\":\"r\"}", "level is 'S9'",
                "{\"level\":\"S1\",\"prompt\":\"p\"}", "line 1 has no 'reference'",
                "{\"level\":\"learn\",\"prompt\":\"p\",\"reference\":\"r\"}", "has no 'cluster'",
                "{\"level\":\"S1\",\"prompt\":\"p\",\"reference\":\"r\"}", "holds 0 clusters",
                "nonsense", "line 1 is not JSON")
            .entrySet()) {
      Path file = Files.writeString(temp.resolve("bad.jsonl"), bad.getKey() + "\n");
      assertThatThrownBy(() -> ProblemSet.read(file))
          .isInstanceOf(ContractException.class)
          .hasMessageContaining(bad.getValue());
    }
  }

  @Test
  void theShopsLevelsAreWhatTheyAreCalled() {
    ProblemSet set =
        new ShopProblems(3, new VerifierSpec("numeric", Map.of()))
            .draw(new ShopProblems.Size(4, 8, 4, 12, 40));
    Set<String> learnt = new HashSet<>();
    Set<String> policies = new HashSet<>();
    for (Example example : set.known()) {
      if (example.clusterId() != null) {
        learnt.add(example.problem());
        policies.add(read(example).policy());
      }
    }
    assertThat(learnt).hasSize(48);
    assertThat(policies).hasSize(4);
    assertThat(set.levels().get("S1")).allMatch(e -> learnt.contains(e.problem()));
    assertThat(set.levels().get("S2")).noneMatch(e -> learnt.contains(e.problem()));
    for (String level : List.of("S1", "S2", "S3", "S4")) {
      assertThat(set.levels().get(level)).allMatch(e -> policies.contains(read(e).policy()));
    }
    Map<String, Set<String>> structures =
        set.known().stream()
            .filter(e -> e.clusterId() != null)
            .collect(
                Collectors.groupingBy(
                    e -> read(e).policy(),
                    Collectors.mapping(e -> read(e).structure().name(), Collectors.toSet())));
    assertThat(set.levels().get("S4"))
        .noneMatch(
            e ->
                structures
                    .getOrDefault(read(e).policy(), Set.of())
                    .contains(read(e).structure().name()));
    assertThat(set.routed().get("S5"))
        .hasSize(40)
        .noneMatch(e -> policies.contains(read(e).policy()));
  }

  private static Problem read(Example example) {
    return Problem.read(example.problem()).orElseThrow();
  }
}
