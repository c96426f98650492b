package io.knack.sandbox;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.knack.contracts.cli.HomeOptions;
import io.knack.contracts.cli.Terminal;
import io.knack.contracts.stage.ContractException;
import io.knack.contracts.stage.ExitCode;
import io.knack.contracts.stage.PlanException;
import io.knack.contracts.stage.StageRunner;
import io.knack.contracts.store.Jsons;
import io.knack.sandbox.rules.UpkeepTrial;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code sandbox upkeep}: what a night's upkeep of a large memory takes, model calls aside. */
@Command(
    name = "upkeep",
    mixinStandardHelpOptions = true,
    description = {
      "Makes a workspace with many rules and verified solutions, runs reflect on it with a model",
      "that takes no time, then remember, each in a process of its own, and prints seconds and",
      "peak resident memory. The figures of docs/benchmarks.md, \"Rules\"."
    },
    footer = {
      "",
      "Example: ./knack sandbox upkeep --rules 10000 --episodes 1000000 --home upkeep-home --json"
    })
public final class UpkeepCommand implements Callable<Integer> {
  @Spec @Nullable CommandSpec spec;

  @Mixin HomeOptions home = new HomeOptions();

  @Option(names = "--rules", description = "live rules (default: 10000)")
  int rules = 10_000;

  @Option(names = "--episodes", description = "verified solutions (default: 1000000)")
  int episodes = 1_000_000;

  @Option(
      names = "--per-cluster",
      description = "solutions of a cluster, of which 8 become episodes (default: 8)")
  int perCluster = 8;

  @Option(names = "--nights", description = "of the ledger so far (default: 30)")
  int nights = 30;

  @Option(
      names = "--only",
      paramLabel = "PART",
      description = "prepare or reflect: one part, in this process; the sizes must be the same")
  @Nullable String only;

  @Override
  public Integer call() throws IOException, InterruptedException {
    if (rules < 3 || episodes < 1 || perCluster < 1 || nights < 1) {
      throw new PlanException(
          "%d rules, %d episodes, %d a cluster, %d nights: expected at least 3, 1, 1, 1"
              .formatted(rules, episodes, perCluster, nights));
    }
    UpkeepTrial trial =
        new UpkeepTrial(home.home, new UpkeepTrial.Size(rules, episodes, perCluster, nights));
    if (only == null) {
      orchestrate();
    } else if (only.equals("prepare")) {
      trial.prepare();
    } else if (only.equals("reflect")) {
      StageRunner.Ending ending = trial.reflect(Terminal.standard());
      ObjectNode node = Jsons.mapper().createObjectNode();
      node.put("outcome", ending.outcome());
      node.set("figures", Jsons.mapper().valueToTree(ending.figures()));
      print(node);
    } else {
      throw new PlanException("--only: found '" + only + "', expected prepare or reflect");
    }
    return ExitCode.OK.code();
  }

  private void orchestrate() throws IOException, InterruptedException {
    if (Files.exists(home.home.resolve("artifacts"))) {
      throw new PlanException(
          home.home + " holds artifacts already; name a new directory with --home");
    }
    List<String> sizes =
        List.of(
            "--rules=" + rules,
            "--episodes=" + episodes,
            "--per-cluster=" + perCluster,
            "--nights=" + nights);
    Terminal.standard().say("upkeep: making " + home.home);
    run(command("prepare", sizes));
    ObjectNode node = Jsons.mapper().createObjectNode();
    node.put("rules", rules).put("episodes", episodes).put("per_cluster", perCluster);
    ArrayNode stages = node.putArray("stages");
    double seconds = 0;
    double peak = 0;
    for (String stage : List.of("reflect", "remember")) {
      Terminal.standard().say("upkeep: " + stage);
      Measured one =
          run(
              stage.equals("reflect")
                  ? command("reflect", sizes)
                  : List.of(
                      launcher(),
                      "remember",
                      "--home",
                      home.home.toString(),
                      "--run=upkeep",
                      "--json"));
      seconds += one.seconds();
      peak = Math.max(peak, one.peakMb());
      ObjectNode row = stages.addObject().put("stage", stage).put("seconds", one.seconds());
      row.put("peak_mb", one.peakMb()).set("printed", one.printed());
    }
    node.put("seconds", seconds).put("peak_mb", peak);
    print(node);
  }

  private List<String> command(String part, List<String> sizes) {
    List<String> command =
        new java.util.ArrayList<>(
            List.of(
                launcher(),
                "sandbox",
                "upkeep",
                "--only",
                part,
                "--json",
                "--home",
                home.home.toString()));
    command.addAll(sizes);
    return command;
  }

  private void print(ObjectNode node) throws IOException {
    PrintWriter out = Objects.requireNonNull(spec).commandLine().getOut();
    if (home.json || only != null) {
      out.println(Jsons.mapper().writeValueAsString(node));
    } else {
      for (JsonNode stage : node.path("stages")) {
        out.printf(
            Locale.ROOT,
            "%-9s %6.1f s %6.0f MB  %s%n",
            stage.path("stage").asText(),
            stage.path("seconds").asDouble(),
            stage.path("peak_mb").asDouble(),
            stage.path("printed").path("figures"));
      }
      out.printf(
          Locale.ROOT,
          "together  %6.1f s, at most %.0f MB resident%n",
          node.path("seconds").asDouble(),
          node.path("peak_mb").asDouble());
    }
    out.flush();
  }

  private static String launcher() {
    String launcher = System.getenv("KNACK_LAUNCHER");
    if (launcher == null) {
      throw new PlanException(
          "start this with ./knack sandbox upkeep: it runs its parts through ./knack");
    }
    return launcher;
  }

  /** What a process took; its memory as the kernel counts it, 0 where that cannot be read. */
  private record Measured(double seconds, double peakMb, JsonNode printed) {}

  private static Measured run(List<String> command) throws IOException, InterruptedException {
    Path printed = Files.createTempFile("knack-upkeep", ".json");
    try {
      long started = System.nanoTime();
      Process process =
          new ProcessBuilder(command)
              .redirectError(ProcessBuilder.Redirect.INHERIT)
              .redirectOutput(printed.toFile())
              .start();
      process.getOutputStream().close();
      double peak = 0;
      while (!process.waitFor(50, TimeUnit.MILLISECONDS)) {
        peak = Math.max(peak, residentMb(process.pid()));
      }
      double seconds = (System.nanoTime() - started) / 1e9;
      if (process.exitValue() != ExitCode.OK.code()) {
        throw new ContractException(
            String.join(" ", command)
                + " ended with "
                + process.exitValue()
                + "; its message stands above");
      }
      String out = Files.readString(printed, StandardCharsets.UTF_8);
      return new Measured(seconds, peak, Jsons.mapper().readTree(out.isBlank() ? "{}" : out));
    } finally {
      Files.delete(printed);
    }
  }

  private static double residentMb(long pid) {
    try {
      for (String line : Files.readAllLines(Path.of("/proc/" + pid + "/status"))) {
        if (line.startsWith("VmHWM:")) {
          return Long.parseLong(line.replaceAll("\\D", "")) / 1024.0;
        }
      }
    } catch (IOException e) {
      return 0; // it has ended between two looks
    }
    return 0;
  }
}
