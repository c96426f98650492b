package io.knack.scheduler;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.knack.contracts.store.Jsons;
import io.knack.scheduler.StageGraph.Node;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The DAG in a real Airflow: it imports, and its graph is the night's. */
final class AirflowDagTest {
  private static final Path ROOT = Path.of(System.getProperty("knack.root"));

  @TempDir Path airflowHome;

  @Test
  void theDagHasTheNightsGraph() throws IOException, InterruptedException {
    StageGraph graph = StageGraph.read(ROOT.resolve("config/graph.yaml"));
    List<String> edges = new ArrayList<>();
    for (Node node : graph.stages()) {
      node.needs().forEach(need -> edges.add(need + " " + node.name()));
    }
    JsonNode dag = Jsons.mapper().readTree(python("print_graph.py", Map.of()));
    List<String> found = new ArrayList<>();
    dag.get("edges").forEach(edge -> found.add(edge.get(0).asText() + " " + edge.get(1).asText()));
    assertThat(found).containsExactlyInAnyOrderElementsOf(edges);
    assertThat(dag.get("stages")).hasSize(graph.stages().size());
    for (Node node : graph.stages()) {
      String rule = dag.get("rules").get(node.name()).asText();
      assertThat(rule)
          .isEqualTo(
              switch (node.join()) {
                case ALL -> "all_success";
                case ANY -> "none_failed_min_one_success";
              });
      assertThat(dag.get("operators").get(node.name()).asText()).isEqualTo("KnackStage");
    }
    JsonNode onSpark =
        Jsons.mapper().readTree(python("print_graph.py", Map.of("KNACK_SPARK_CONN", "spark")));
    assertThat(onSpark.get("edges")).isEqualTo(dag.get("edges"));
    for (Node node : graph.stages()) {
      assertThat(onSpark.get("operators").get(node.name()).asText())
          .isEqualTo(node.engine() == StageGraph.Engine.SPARK ? "KnackSparkStage" : "KnackStage");
    }
  }

  @Test
  void exitCodesBecomeOutcomes() throws IOException, InterruptedException {
    assertThat(python("check_exit_codes.py", Map.of())).endsWith("6 passed, 0 failed");
  }

  /** Runs a script of {@code airflow-dags/tests} and returns the last line it printed. */
  private String python(String script, Map<String, String> environment)
      throws IOException, InterruptedException {
    Path out = airflowHome.resolve(script + ".out");
    Path err = airflowHome.resolve(script + ".err");
    String interpreter =
        run(List.of(ROOT.resolve("scripts/python-env").toString(), "airflow"), Map.of(), out, err);
    return run(
        List.of(interpreter, ROOT.resolve("airflow-dags/tests").resolve(script).toString()),
        environment,
        out,
        err);
  }

  private String run(List<String> command, Map<String, String> environment, Path out, Path err)
      throws IOException, InterruptedException {
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().put("AIRFLOW_HOME", airflowHome.toString());
    builder.environment().put("AIRFLOW__CORE__LOAD_EXAMPLES", "False");
    builder.environment().putAll(environment);
    int code = builder.redirectOutput(out.toFile()).redirectError(err.toFile()).start().waitFor();
    assertThat(code).as(Files.readString(err, StandardCharsets.UTF_8)).isZero();
    List<String> lines = Files.readAllLines(out);
    return lines.get(lines.size() - 1);
  }
}
