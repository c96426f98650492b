package io.knack.sandbox.whole;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The commands of the README's "Your own logs" run as written, in a home of their own. */
final class ReadmeTest {
  @TempDir Path scratch;

  @Test
  void theCommandsForOnesOwnLogsRunAsWritten() throws IOException, InterruptedException {
    List<String> commands = commands();
    assertThat(commands)
        .extracting(command -> command.split(" ", -1)[1])
        .startsWith("import", "mine", "show")
        .contains("night");
    Knack knack = new Knack(scratch);
    for (String command : commands) {
      String[] words = command.substring("./knack ".length()).split(" ", -1);
      for (int i = 0; i < words.length; i++) {
        words[i] = words[i].equals("my-home") ? scratch.resolve("my-home").toString() : words[i];
      }
      Knack.Ending ending = knack.run(words).succeeded();
      if (words[0].equals("import")) {
        JsonNode counts = ending.json();
        assertThat(counts.path("valid").asLong() + counts.path("quarantined").asLong())
            .isEqualTo(counts.path("total").asLong())
            .isPositive();
        assertThat(counts.path("quarantined").asLong()).isZero();
      } else if (words[0].equals("show")) {
        assertThat(ending.out()).as("clusters of the sample log").isNotEmpty();
      } else if (words[0].equals("night")) {
        assertThat(ending.out()).contains("import", "promote", "in all:");
      }
    }
  }

  /** The shell lines between "Your own logs" and the next heading. */
  private static List<String> commands() throws IOException {
    String readme = Files.readString(Knack.ROOT.resolve("README.md"), StandardCharsets.UTF_8);
    int from = readme.indexOf("## Your own logs");
    String section = readme.substring(from, readme.indexOf("\n## ", from + 1));
    List<String> commands = new ArrayList<>();
    boolean code = false;
    for (String line : section.lines().toList()) {
      if (line.startsWith("```")) {
        code = !code;
      } else if (code && line.startsWith("./knack ")) {
        commands.add(line.replaceAll("\\s+#.*", "").replaceAll("\\s+", " ").strip());
      }
    }
    return commands;
  }
}
