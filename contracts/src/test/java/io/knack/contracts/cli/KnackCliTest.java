package io.knack.contracts.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.knack.contracts.KnackVersion;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;
import picocli.CommandLine.Command;

final class KnackCliTest {
  /** A root that says nothing of a version. */
  @Command(name = "knack", mixinStandardHelpOptions = true, subcommands = Verb.class)
  static final class Root {}

  /** A verb that offers one. */
  @Command(name = "verb", mixinStandardHelpOptions = true)
  static final class Verb {}

  @Test
  void everyVerbSaysTheVersionThatItOffers() {
    for (String[] words : new String[][] {{"--version"}, {"verb", "--version"}, {"verb", "-V"}}) {
      StringWriter out = new StringWriter();
      CommandLine line = KnackCli.commandLine(new CommandLine(new Root()));
      line.setOut(new PrintWriter(out));
      assertThat(line.execute(words)).isZero();
      assertThat(out.toString().strip()).isEqualTo(KnackVersion.CURRENT);
    }
  }

  @Test
  void theVersionIsThatOfThePom() throws IOException {
    String pom = Files.readString(Path.of(System.getProperty("knack.root"), "pom.xml"));
    assertThat(pom).containsOnlyOnce("\n  <version>" + KnackVersion.CURRENT + "</version>\n");
  }
}
