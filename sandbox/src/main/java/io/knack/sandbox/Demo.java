package io.knack.sandbox;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.knack.contracts.Interval;
import io.knack.contracts.Manifest;
import io.knack.contracts.PriceBook;
import io.knack.contracts.cli.HomeOptions;
import io.knack.contracts.cli.Terminal;
import io.knack.contracts.stage.ContractException;
import io.knack.contracts.stage.ExitCode;
import io.knack.contracts.stage.PlanException;
import io.knack.contracts.stage.TemporaryException;
import io.knack.contracts.store.ArtifactKind;
import io.knack.contracts.store.ArtifactStore;
import io.knack.contracts.store.Jsons;
import io.knack.evaluator.measure.EvaluateStage;
import io.knack.practice.route.ServingManifests;
import io.knack.sandbox.base.BaseModel;
import io.knack.sandbox.serve.TrafficLog.Measured;
import io.knack.sandbox.world.Level;
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
import java.util.Optional;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.function.Predicate;
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
      "promoted and once more without, and says what that saved."
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

  private final List<Phase> phases = new ArrayList<>();

  private record Phase(String name, double seconds) {}

  @Override
  public Integer call() throws IOException, InterruptedException {
    if (days < 1 || rate < 50) {
      throw new PlanException(
          "days %d must be at least 1 and rate %d at least 50".formatted(days, rate));
    }
    long started = System.nanoTime();
    Path workspace = home.home.toAbsolutePath().normalize();
    Path checkpoint =
        (model == null ? ServeCommand.shippedModel() : model).toAbsolutePath().normalize();
    serve(workspace, checkpoint, 1, days, List.of());
    JsonNode night = night(workspace, checkpoint);
    Optional<Manifest> live = new ServingManifests(workspace).live();
    int next = days + 1;
    serve(workspace, checkpoint, next, 1, List.of("--log", "baseline"));
    if (live.isPresent()) {
      serve(workspace, checkpoint, next, 1, List.of("--manifest", "live"));
    } else {
      serve(workspace, checkpoint, next, 1, List.of());
    }
    PairedSaving all =
        PairedSaving.of(
            measured(workspace, "baseline", next),
            measured(workspace, "traffic", next),
            PriceBook.DEFAULT);
    report(workspace, night, live, all, (System.nanoTime() - started) / 1e9);
    return ExitCode.OK.code();
  }

  private void serve(Path workspace, Path checkpoint, int first, int count, List<String> more)
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
    String what =
        more.contains("--manifest")
            ? "serve next day, memory"
            : more.isEmpty() ? "serve days" : "serve next day, base";
    phases.add(new Phase(what, served.path("seconds").asDouble()));
  }

  private JsonNode night(Path workspace, Path checkpoint) throws IOException, InterruptedException {
    Path plan = workspace.resolve("demo").resolve("night.yaml");
    Files.createDirectories(Objects.requireNonNull(plan.getParent()));
    Files.writeString(plan, nightPlan(workspace, checkpoint));
    JsonNode night =
        knack(
            List.of(
                "night",
                "--plan",
                plan.toString(),
                "--home",
                workspace.toString(),
                "--run",
                "demo-night-" + seed,
                "--json"));
    for (JsonNode stage : night.path("stages")) {
      phases.add(new Phase(stage.path("name").asText(), stage.path("seconds").asDouble()));
    }
    return night;
  }

  /** What an operator of this shop would write into config/night.yaml. */
  private String nightPlan(Path workspace, Path checkpoint) throws IOException {
    List<String> logs = new ArrayList<>();
    for (int day = 1; day <= days; day++) {
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
            String.valueOf(days + 1));
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

  private void report(
      Path workspace, JsonNode night, Optional<Manifest> live, PairedSaving all, double seconds)
      throws IOException {
    PairedSaving recurring = all.where(p -> p.after().recurring());
    PrintWriter out = Objects.requireNonNull(spec).commandLine().getOut();
    String page = page(workspace, night);
    if (home.json) {
      ObjectNode node = Jsons.mapper().createObjectNode();
      node.set("saving", Jsons.mapper().valueToTree(recurring.saving()));
      node.set("accuracy_difference", Jsons.mapper().valueToTree(recurring.accuracyDifference()));
      node.set("raw_tokens_saving", Jsons.mapper().valueToTree(recurring.rawTokensSaving()));
      node.put("samples_before", recurring.samplesBefore());
      node.put("samples_after", recurring.samplesAfter());
      node.put("accuracy_before", recurring.accuracyBefore());
      node.put("accuracy_after", recurring.accuracyAfter());
      node.put("problems", recurring.size());
      node.set("all_traffic_saving", Jsons.mapper().valueToTree(all.saving()));
      node.put("promoted", live.map(m -> m.entries().size()).orElse(0));
      node.put("held", held(night));
      node.put("verdict", night.path("verdict").asText());
      node.put("manifest", live.map(Manifest::number).orElse(null));
      node.put("report", page);
      node.set("prices", Jsons.mapper().valueToTree(PriceBook.DEFAULT));
      node.set("phases", Jsons.mapper().valueToTree(phases));
      node.put("seconds", seconds);
      out.println(Jsons.mapper().writeValueAsString(node));
    } else {
      table(out, all, recurring);
      out.printf(
          Locale.ROOT,
          "%nsaved %s of the priced all-in cost of the next day's recurring traffic; accuracy %s%n",
          words(recurring.saving()),
          points(recurring.accuracyDifference()));
      out.printf(
          Locale.ROOT,
          "night: %s (%s); manifest %s, %d memories promoted%n%n",
          night.path("verdict").asText("no verdict"),
          night.path("reason").asText(),
          live.map(m -> "v%06d".formatted(m.number())).orElse("none"),
          live.map(m -> m.entries().size()).orElse(0));
      phases.forEach(p -> out.printf(Locale.ROOT, "%-24s %7.1f s%n", p.name(), p.seconds()));
      out.printf(Locale.ROOT, "%-24s %7.1f s%n%n", "altogether", seconds);
      out.println("report: " + page);
      out.println("next:   ./knack route --home " + workspace + " --form short --prompt TEXT");
    }
    out.flush();
  }

  private static int held(JsonNode night) {
    for (JsonNode stage : night.path("stages")) {
      if (stage.path("name").asText().equals("evaluate")) {
        return stage.path("figures").path("held").asInt(0);
      }
    }
    return 0;
  }

  /** The page of tonight's report; {@code none} where the night judged nothing. */
  private static String page(Path workspace, JsonNode night) {
    for (JsonNode stage : night.path("stages")) {
      if (stage.path("name").asText().equals("evaluate") && stage.hasNonNull("artifact")) {
        return ArtifactStore.open(workspace)
            .latest(ArtifactKind.EVALUATION)
            .map(evaluation -> evaluation.file(EvaluateStage.PAGE).toString())
            .orElse("none");
      }
    }
    return "none";
  }

  private static String words(Interval interval) {
    return String.format(
        Locale.ROOT,
        "%.1f%% (%.1f to %.1f)",
        100 * interval.estimate(),
        100 * interval.low(),
        100 * interval.high());
  }

  private static String points(Interval interval) {
    return String.format(
        Locale.ROOT,
        "%+.1f points (%+.1f to %+.1f)",
        100 * interval.estimate(),
        100 * interval.low(),
        100 * interval.high());
  }

  private static void table(PrintWriter out, PairedSaving all, PairedSaving recurring) {
    out.printf(
        Locale.ROOT,
        "%-26s %8s %6s %9s %9s %9s %9s %9s %9s%n",
        "next day",
        "problems",
        "fired",
        "passed",
        "after",
        "samples",
        "after",
        "tokens",
        "after");
    row(out, "recurring", recurring, p -> true);
    for (Level level : Level.values()) {
      row(out, "  " + level, all, p -> p.after().level().equals(level.name()));
    }
    TreeSet<String> memories = new TreeSet<>();
    all.where(
            p -> {
              memories.add(p.after().memory());
              return false;
            })
        .size();
    for (String memory : memories) {
      row(out, "by " + memory, all, p -> p.after().memory().equals(memory));
    }
  }

  private static void row(
      PrintWriter out, String name, PairedSaving from, Predicate<PairedSaving.Pair> chosen) {
    PairedSaving pairs = from.where(chosen);
    if (pairs.size() > 0) {
      out.printf(
          Locale.ROOT,
          "%-26s %8d %5.0f%% %8.1f%% %8.1f%% %9.2f %9.2f %9.0f %9.0f%n",
          name,
          pairs.size(),
          100 * pairs.fireRate(),
          100 * pairs.accuracyBefore(),
          100 * pairs.accuracyAfter(),
          pairs.samplesBefore(),
          pairs.samplesAfter(),
          pairs.tokensBefore(),
          pairs.tokensAfter());
    }
  }
}
