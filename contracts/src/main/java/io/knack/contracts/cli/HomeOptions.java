package io.knack.contracts.cli;

import java.nio.file.Path;
import picocli.CommandLine.Option;

/** Options of every verb that has a workspace; a picocli mixin. */
public final class HomeOptions {
  @Option(
      names = "--home",
      paramLabel = "DIR",
      description = "workspace (default: ${DEFAULT-VALUE})",
      defaultValue = "./knack-home")
  public Path home = Path.of("knack-home");

  @Option(names = "--json", description = "one JSON document on standard output")
  public boolean json;
}
