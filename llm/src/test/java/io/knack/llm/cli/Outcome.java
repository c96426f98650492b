package io.knack.llm.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.knack.contracts.cli.KnackCli;
import io.knack.llm.Main;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import picocli.CommandLine;

/** What a command line ends with. */
record Outcome(int exit, String out, String err) {
  JsonNode json() throws IOException {
    return new ObjectMapper().readTree(out);
  }

  /** Runs a command line in this process. */
  static Outcome knack(Object... arguments) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    CommandLine line = KnackCli.commandLine(new CommandLine(new Main()));
    line.setOut(new PrintWriter(out)).setErr(new PrintWriter(err));
    String[] words = new String[arguments.length];
    for (int i = 0; i < words.length; i++) {
      words[i] = arguments[i].toString();
    }
    int exit = line.execute(words);
    return new Outcome(exit, out.toString(), err.toString());
  }

  /** Refused in words: the exit code, no stack trace, nothing on standard output. */
  static void refused(Outcome outcome, int exit, String... words) {
    assertThat(outcome.err()).contains(words).doesNotContain("\tat ");
    assertThat(outcome.exit()).isEqualTo(exit);
    assertThat(outcome.out()).isEmpty();
  }
}
