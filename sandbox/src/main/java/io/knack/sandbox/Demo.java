package io.knack.sandbox;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.knack.contracts.PriceBook;
import io.knack.contracts.cli.HomeOptions;
import io.knack.contracts.cli.Terminal;
import io.knack.contracts.stage.ContractException;
import io.knack.contracts.stage.ExitCode;
import io.knack.contracts.stage.PlanException;
import io.knack.contracts.stage.TemporaryException;
import io.knack.contracts.store.Jsons;
import io.knack.contracts.store.ServingManifests;
import io.knack.sandbox.base.BaseModel;
import io.knack.sandbox.serve.TrafficLog.Measured;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * {@code demo}: the whole loop on the embedded world. Every phase is a process of its own, started
 * through the launcher as a person would; what it measures at the end is by the world's truth.
 */
@Command(
    name = "demo",
    mixinStandardHelpOptions = true,
    description = {
      "Serves some days of simulated traffic with the base model, runs the night (import, mine,",
      "curate, train, reflect, remember, evaluate, promote), serves the next day with what was",
      "promoted and once more without, and says what that saved. With --nights 2 a week goes on:",
      "rules of the shop change, new problems appear, and the next night learns from all of it."
    },
    footer = {"", "Example: ./knack demo --days 3 --seed 1 --home demo-home"})
public final class Demo implements Callable<Integer> {
  @Spec @Nullable CommandSpec spec;

  @Mixin HomeOptions home = new HomeOptions();

  @Option(names = "--days", defaultValue = "3", description = "days of traffic (default: 3)")
  int days = 3;

  @Option(names = "--rate", defaultValue = "800", description = "requests a day (default: 800)")
  int rate = 800;

  @Option(names = "--seed", defaultValue = "1", description = "of world and sampling (default: 1)")
  long seed = 1;

  @Option(names = "--model", paramLabel = "DIR", description = "checkpoint (default: shipped)")
  @Nullable Path model;

  @Option(
      names = "--nights",
      defaultValue = "1",
      description =
          "nights; before each further one as many days are served with what is live (default: 1)")
  int nights = 1;

  private final List<DemoReport.Phase> phases = new ArrayList<>();

  @Override
  public Integer call() throws IOException, InterruptedException {
    if (days < 1 || rate < 50 || nights < 1) {
      throw new PlanException(
          "days %d and nights %d must be at least 1 and rate %d at least 50"
              .formatted(days, nights, rate));
    }
    long started = System.nanoTime();
    Path workspace = home.home.toAbsolutePath().normalize();
    Path checkpoint =
        (model == null ? ServeCommand.shippedModel() : model).toAbsolutePath().normalize();
    List<DemoReport.Night> measured = new ArrayList<>();
    for (int number = 1; number <= nights; number++) {
      int last = number * days;
      if (number == 1) {
        serve("serve days", workspace, checkpoint, 1, days, List.of());
      } else if (days > 1) {
        // The first of these days was served, and measured, after the night before.
        serve(
            "serve days, memory",
            workspace,
            checkpoint,
            last - days + 2,
            days - 1,
            live(workspace));
      }
      JsonNode night = night(workspace, checkpoint, number);
      List<String> base = List.of("--log", "baseline");
      serve("serve next day, base", workspace, checkpoint, last + 1, 1, base);
      serve("serve next day, memory", workspace, checkpoint, last + 1, 1, live(workspace));
      measured.add(
          new DemoReport.Night(
              night,
              new ServingManifests(workspace).live().orElse(null),
              PairedSaving.of(
                  measured(workspace, "baseline", last + 1),
                  measured(workspace, "traffic", last + 1),
                  PriceBook.DEFAULT)));
    }
    PrintWriter out = Objects.requireNonNull(spec).commandLine().getOut();
    DemoReport report =
        new DemoReport(workspace, measured, phases, (System.nanoTime() - started) / 1e9);
    if (home.json) {
      out.println(Jsons.mapper().writeValueAsString(report.json()));
    } else {
      report.print(out);
    }
    out.flush();
    return ExitCode.OK.code();
  }

  private static List<String> live(Path workspace) {
    return new ServingManifests(workspace).live().isPresent()
        ? List.of("--manifest", "live")
        : List.of();
  }

  private void serve(
      String phase, Path workspace, Path checkpoint, int first, int count, List<String> more)
      throws IOException, InterruptedException {
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "sandbox",
                "serve",
                "--first-day",
                "" + first,
                "--days",
                "" + count,
                "--rate",
                "" + rate,
                "--seed",
                "" + seed,
                "--model",
                checkpoint.toString(),
                "--home",
                workspace.toString(),
                "--json"));
    arguments.addAll(more);
    JsonNode served = knack(arguments);
    phases.add(new DemoReport.Phase(phase, served.path("seconds").asDouble()));
  }

  private JsonNode night(Path workspace, Path checkpoint, int number)
      throws IOException, InterruptedException {
    String file = number == 1 ? "night.yaml" : "night-" + number + ".yaml";
    Path plan = workspace.resolve("demo").resolve(file);
    Files.createDirectories(Objects.requireNonNull(plan.getParent()));
    Files.writeString(plan, nightPlan(workspace, checkpoint, number * days));
    JsonNode night =
        knack(
            List.of(
                "night",
                "--plan",
                plan.toString(),
                "--home",
                workspace.toString(),
                "--run",
                "demo-night-" + seed + (number == 1 ? "" : "-" + number),
                "--json"));
    for (JsonNode stage : night.path("stages")) {
      phases.add(
          new DemoReport.Phase(stage.path("name").asText(), stage.path("seconds").asDouble()));
    }
    return night;
  }

  /** What an operator of this shop would write into config/night.yaml. */
  private String nightPlan(Path workspace, Path checkpoint, int lastDay) throws IOException {
    List<String> logs = new ArrayList<>();
    for (int day = 1; day <= lastDay; day++) {
      logs.add(
          workspace
              .resolve("traffic")
              .resolve(String.format(Locale.ROOT, "day-%02d", day))
              .resolve("knack.jsonl")
              .toString());
    }
    List<String> verify =
        List.of(
            launcher().toString(),
            "sandbox",
            "verify",
            "--seed",
            String.valueOf(seed),
            "--day",
            String.valueOf(lastDay + 1));
    String verifiers =
        json(
            List.of(
                Map.of(
                    "kind",
                    "command",
                    "options",
                    Map.of("command", json(verify), "mode", "lines"))));
    return """
    # Written by ./knack demo; './knack night --plan THIS --home HOME' does the same by hand.
    logs:
      format: knack
      input: %s
    model:
      directory: %s
      name: %s
    set:
      curate:
        verifiers: %s
        recheck: 'true'
        train_fraction: '0.5'
        anchor_size: '40'
      train:
        rank: '8'
        alpha: '16'
        learning_rate: '0.003'
        epochs: '6'
      reflect:
        solver.form: short
      evaluate:
        solver.form: short
        solver.max_tokens: '96'
    """
        .formatted(json(logs), json(checkpoint.toString()), BaseModel.NAME, json(verifiers));
  }

  private static String json(Object value) throws IOException {
    return Jsons.mapper().writeValueAsString(value);
  }

  private static Path launcher() {
    String launcher = System.getenv("KNACK_LAUNCHER");
    if (launcher == null) {
      throw new PlanException(
          "start the demo with ./knack demo: it runs its phases through ./knack");
    }
    return Path.of(launcher);
  }

  /** Runs one verb in a process of its own and reads the JSON it prints. */
  private JsonNode knack(List<String> arguments) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of(launcher().toString()));
    command.addAll(arguments);
    Terminal.standard().say("demo: ./knack " + String.join(" ", arguments.subList(0, 2)));
    ObjectMapper mapper = Jsons.mapper();
    Process process =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    process.getOutputStream().close();
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    int exit = process.waitFor();
    if (exit == ExitCode.TEMPORARY.code()) {
      throw new TemporaryException(
          "./knack " + arguments.get(0) + " stopped for now; run the demo again to go on");
    }
    if (exit != 0 && exit != ExitCode.NOTHING.code()) {
      throw new ContractException(
          "./knack " + arguments.get(0) + " ended with " + exit + "; its message stands above");
    }
    return mapper.readTree(out);
  }

  private static List<Measured> measured(Path workspace, String log, int day) throws IOException {
    Path file =
        workspace
            .resolve("truth")
            .resolve(log)
            .resolve(String.format(Locale.ROOT, "day-%02d.jsonl", day));
    List<Measured> rows = new ArrayList<>();
    for (String line : Files.readAllLines(file)) {
      rows.add(Jsons.mapper().readValue(line, Measured.class));
    }
    return rows;
  }
}
