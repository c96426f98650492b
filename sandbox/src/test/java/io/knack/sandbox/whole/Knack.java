package io.knack.sandbox.whole;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.knack.contracts.store.Jsons;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** The launcher, as a person calls it from the project's root. */
final class Knack {
  static final Path ROOT = Path.of(System.getProperty("knack.root"));

  private final Path scratch;

  Knack(Path scratch) {
    this.scratch = scratch;
  }

  /**
   * How a verb ended.
   *
   * @param err its words, for the message of an assertion
   */
  record Ending(int code, String out, String err) {
    JsonNode json() throws IOException {
      return Jsons.mapper().readTree(out);
    }

    /** One JSON document a line. */
    List<JsonNode> lines() throws IOException {
      List<JsonNode> lines = new ArrayList<>();
      for (String line : out.lines().toList()) {
        lines.add(Jsons.mapper().readTree(line));
      }
      return lines;
    }

    Ending succeeded() {
      assertThat(code).as("%s%n%s", out, err).isZero();
      return this;
    }
  }

  Ending run(String... arguments) throws IOException, InterruptedException {
    return run(List.of(arguments));
  }

  Ending run(List<String> arguments) throws IOException, InterruptedException {
    return run(Map.of(), arguments);
  }

  /**
   * @param environment beside what there is
   */
  Ending run(Map<String, String> environment, List<String> arguments)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of(ROOT.resolve("knack").toString()));
    command.addAll(arguments);
    Path out = scratch.resolve("out");
    Path err = scratch.resolve("err");
    ProcessBuilder builder = new ProcessBuilder(command).directory(ROOT.toFile());
    builder.environment().put("KNACK_NO_BUILD", "1");
    builder.environment().put("KNACK_JAVA_OPTS", "-Xmx1500m");
    builder.environment().remove("MLFLOW_TRACKING_URI");
    builder.environment().putAll(environment);
    int code =
        builder
            .redirectInput(Path.of("/dev/null").toFile())
            .redirectOutput(out.toFile())
            .redirectError(err.toFile())
            .start()
            .waitFor();
    return new Ending(code, read(out), read(err));
  }

  private static String read(Path file) throws IOException {
    return Files.readString(file, StandardCharsets.UTF_8).strip();
  }
}
