package io.knack.sandbox;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.knack.contracts.cli.HomeOptions;
import io.knack.contracts.cli.Terminal;
import io.knack.contracts.stage.ExitCode;
import io.knack.contracts.stage.PlanException;
import io.knack.contracts.store.Jsons;
import io.knack.llm.local.LocalModel;
import io.knack.llm.local.LocalOptions;
import io.knack.sandbox.rules.RuleTrial;
import io.knack.sandbox.rules.TrialResult;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code sandbox rules}: what reflection makes of the logs of many policies. */
@Command(
    name = "rules",
    mixinStandardHelpOptions = true,
    description = {
      "Answers logged problems of many policies with the base model, runs three nights of reflect",
      "on them, a tenth of the policies poisoned and a tenth drifting, and measures every stored",
      "rule on later problems. The figures of docs/benchmarks.md, \"Rules\"."
    },
    footer = {"", "Example: ./knack sandbox rules --policies 210 --home rules-home --json"})
public final class RulesCommand implements Callable<Integer> {
  @Spec @Nullable CommandSpec spec;

  @Mixin HomeOptions home = new HomeOptions();

  @Option(names = "--policies", defaultValue = "210", description = "default: 210")
  int policies = 210;

  @Option(
      names = "--cases",
      defaultValue = "8",
      description = "logged problems of a policy (default: 8)")
  int cases = 8;

  @Option(
      names = "--later",
      defaultValue = "20",
      description = "later problems of a policy (default: 20)")
  int later = 20;

  @Option(names = "--model", paramLabel = "DIR", description = "checkpoint (default: shipped)")
  @Nullable Path model;

  @Option(names = "--seed", defaultValue = "1", description = "of everything (default: 1)")
  long seed = 1;

  @Override
  public Integer call() throws IOException {
    if (policies < 20 || cases < 1 || cases > 64 || later < 1) {
      throw new PlanException(
          "%d policies, %d cases, %d later problems: expected at least 20, 1 to 64, at least 1"
              .formatted(policies, cases, later));
    }
    if (Files.exists(home.home.resolve("artifacts"))) {
      throw new PlanException(
          home.home + " holds artifacts already; name a new directory with --home");
    }
    Path directory = model == null ? ServeCommand.shippedModel() : model;
    try (LocalModel base = LocalModel.load(directory, LocalOptions.defaults().withMaxBatch(256))) {
      long started = System.nanoTime();
      TrialResult result =
          new RuleTrial(
                  home.home,
                  directory,
                  base,
                  new RuleTrial.Settings(policies, cases, later, seed),
                  Terminal.standard())
              .run();
      report(result, (System.nanoTime() - started) / 1e9);
    }
    return ExitCode.OK.code();
  }

  private void report(TrialResult result, double seconds) throws IOException {
    PrintWriter out = Objects.requireNonNull(spec).commandLine().getOut();
    if (home.json) {
      ObjectNode node = Jsons.mapper().createObjectNode();
      ArrayNode rows = node.putArray("rows");
      result.rows().forEach(row -> rows.addPOJO(row));
      node.put("stored_rules", result.storedRules());
      node.put("worse_rules", result.worseRules());
      node.put("poisoned_policies", result.poisonedPolicies());
      node.put("said_the_poison", result.saidThePoison());
      ArrayNode drifted = node.putArray("drifted");
      result.drifted().forEach(one -> drifted.addPOJO(one));
      node.putPOJO("nights", result.figures());
      node.put("seconds", seconds);
      out.println(Jsons.mapper().writeValueAsString(node));
    } else {
      table(out, result, seconds);
    }
    out.flush();
  }

  private static void table(PrintWriter out, TrialResult result, double seconds) {
    out.printf(
        "| kind | way | policies | stored | right | at first | without | worse | first"
            + " sample | without |%n|---|---|---|---|---|---|---|---|---|---|%n");
    for (TrialResult.Row row : result.rows()) {
      out.printf(
          Locale.ROOT,
          "| %s | %s | %d | %d | %d | %d | %d | %d | %.1f%% | %.1f%% |%n",
          row.kind(),
          row.way(),
          row.policies(),
          row.stored(),
          row.right(),
          row.rightAtFirst(),
          row.rightAlone(),
          row.worse(),
          100 * row.firstShare(),
          100 * row.firstAlone());
    }
    out.printf(
        Locale.ROOT,
        "%d stored rules, %d (%.1f%%) under which later problems got worse%n",
        result.storedRules(),
        result.worseRules(),
        100.0 * result.worseRules() / Math.max(1, result.storedRules()));
    out.printf(
        "%d poisoned policies, %d of which a rule said the poison%n",
        result.poisonedPolicies(), result.saidThePoison());
    for (TrialResult.Drifted one : result.drifted()) {
      out.printf(
          "drift of %s, %s to %s: old rule after each night %s, new rule %s%n",
          one.kind(), one.before(), one.after(), one.withOld(), one.withNew());
    }
    result.figures().forEach(out::println);
    out.printf(Locale.ROOT, "%.0f s%n", seconds);
  }
}
