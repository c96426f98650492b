package io.knack.sandbox;

import picocli.CommandLine.Command;

/** {@code sandbox}: the embedded world's own verbs. */
@Command(
    name = "sandbox",
    mixinStandardHelpOptions = true,
    description =
        "Simulated traffic, the shop's verifier, and the recipe of the shipped base model.",
    subcommands = {
      VerifyCommand.class,
      ServeCommand.class,
      PretrainCommand.class,
      ExamCommand.class,
      RulesCommand.class,
      UpkeepCommand.class
    },
    footer = {"", "Example: ./knack sandbox serve --days 3 --rate 400 --seed 1 --home my-home"})
public final class SandboxCommand {}
