package io.knack.sandbox;

import static org.assertj.core.api.Assertions.assertThat;

import io.knack.contracts.cli.KnackCli;
import io.knack.sandbox.world.Request;
import io.knack.sandbox.world.World;
import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

class VerifyCommandTest {
  private static String run(String... arguments) {
    StringWriter out = new StringWriter();
    CommandLine line = KnackCli.commandLine(new CommandLine(new Main()));
    line.setOut(new PrintWriter(out, true));
    line.setErr(new PrintWriter(out, true));
    int exit = line.execute(arguments);
    return exit + " " + out.toString().strip();
  }

  @Test
  void saysPassOrFailAndNoMore() {
    Request request =
        new World(1)
            .day(1, 50).stream()
                .filter(r -> !r.truth().answer().isEmpty())
                .findFirst()
                .orElseThrow();
    String answer = request.truth().answer();
    assertThat(
            run(
                "sandbox",
                "verify",
                "--day",
                "1",
                "--problem",
                request.text(),
                "--answer",
                "A: " + answer))
        .isEqualTo("0 pass");
    assertThat(
            run(
                "sandbox",
                "verify",
                "--day",
                "1",
                "--problem",
                request.text(),
                "--answer",
                "A: 1" + answer))
        .isEqualTo("0 fail");
  }

  @Test
  void halfAQuestionIsAMistake() {
    assertThat(run("sandbox", "verify", "--problem", "x"))
        .startsWith("2")
        .contains("--problem and --answer go together");
  }
}
