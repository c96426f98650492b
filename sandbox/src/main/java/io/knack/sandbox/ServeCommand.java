package io.knack.sandbox;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.knack.contracts.Budget;
import io.knack.contracts.Manifest;
import io.knack.contracts.cli.Console;
import io.knack.contracts.cli.HomeOptions;
import io.knack.contracts.cli.Terminal;
import io.knack.contracts.stage.ExitCode;
import io.knack.contracts.stage.PlanException;
import io.knack.contracts.store.Jsons;
import io.knack.contracts.store.ServingManifests;
import io.knack.llm.local.LocalModel;
import io.knack.llm.local.LocalOptions;
import io.knack.practice.features.Encoders;
import io.knack.practice.features.FeatureSpace;
import io.knack.practice.prompt.PromptForm;
import io.knack.practice.route.Router;
import io.knack.sandbox.base.BaseModel;
import io.knack.sandbox.serve.Served;
import io.knack.sandbox.serve.Server;
import io.knack.sandbox.serve.TrafficLog;
import io.knack.sandbox.world.Request;
import io.knack.sandbox.world.World;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code sandbox serve}: some days of the world's traffic, answered and logged. */
@Command(
    name = "serve",
    mixinStandardHelpOptions = true,
    description = {
      "Answers some days of the embedded world's traffic with the base model, or with what a",
      "manifest promotes, and writes the logs a gateway would: HOME/traffic/day-NN/knack.jsonl and",
      "openai.jsonl. What is true of each request goes to HOME/truth, which no stage reads."
    },
    footer = {"", "Example: ./knack sandbox serve --days 3 --rate 400 --seed 1 --home my-home"})
public final class ServeCommand implements Callable<Integer> {
  @Spec @Nullable CommandSpec spec;

  @Mixin HomeOptions home = new HomeOptions();

  @Option(names = "--days", defaultValue = "1", description = "days to serve (default: 1)")
  int days = 1;

  @Option(names = "--first-day", defaultValue = "1", description = "the first (default: 1)")
  int firstDay = 1;

  @Option(names = "--rate", defaultValue = "400", description = "requests a day (default: 400)")
  int rate = 400;

  @Option(names = "--seed", defaultValue = "1", description = "of world and sampling (default: 1)")
  long seed = 1;

  @Option(
      names = "--manifest",
      paramLabel = "REF",
      description = "a manifest's number, or 'live'; the base model alone without it")
  @Nullable String manifest;

  @Option(
      names = "--model",
      paramLabel = "DIR",
      description = "checkpoint (default: the shipped data/base-model)")
  @Nullable Path model;

  @Option(
      names = "--method",
      defaultValue = "best_of_n",
      description = "solver (default: ${DEFAULT-VALUE})")
  String method = "best_of_n";

  @Option(
      names = "--log",
      defaultValue = "traffic",
      description = "directory of the logs below HOME (default: ${DEFAULT-VALUE})")
  String log = "traffic";

  @Override
  public Integer call() throws IOException {
    if (days < 1 || firstDay < 1 || rate < 1) {
      throw new PlanException(
          "days %d, first day %d and rate %d must each be at least 1"
              .formatted(days, firstDay, rate));
    }
    World world = new World(seed);
    Path directory = model == null ? shippedModel() : model;
    try (LocalModel base = LocalModel.load(directory, LocalOptions.defaults().withMaxBatch(256))) {
      Router router = router(base);
      Server server = new Server(world, seed, base, router, method, BaseModel.SOLVER);
      TrafficLog logs = new TrafficLog(home.home, log, world, BaseModel.NAME);
      Totals totals = new Totals();
      long started = System.nanoTime();
      try (Console.Progress progress = Terminal.standard().progress("serve", (long) days * rate)) {
        for (int day = firstDay; day < firstDay + days; day++) {
          List<Request> requests = world.day(day, rate);
          List<Served> served =
              server.answer(
                  requests,
                  one -> {
                    totals.add(one);
                    progress.step(1);
                  });
          logs.write(day, served, server.manifest());
        }
      }
      report(totals, (System.nanoTime() - started) / 1e9, server.manifest());
    }
    return ExitCode.OK.code();
  }

  /** The checkpoint that ships with the project. */
  public static Path shippedModel() {
    String launcher = System.getenv("KNACK_LAUNCHER");
    Path shipped =
        launcher == null
            ? Path.of("data/base-model")
            : Path.of(launcher).resolveSibling("data/base-model");
    if (!Files.isDirectory(shipped)) {
      throw new PlanException(
          "there is no base model at "
              + shipped
              + "; name one with --model, or make it: ./knack sandbox pretrain --out "
              + shipped);
    }
    return shipped;
  }

  private @Nullable Router router(LocalModel base) {
    if (manifest == null) {
      return null;
    }
    ServingManifests manifests = new ServingManifests(home.home);
    Manifest chosen =
        "live".equals(manifest)
            ? manifests
                .live()
                .orElseThrow(
                    () -> new PlanException("nothing is promoted in " + home.home + " yet"))
            : manifests.numbered(number(manifest));
    if (chosen.entries().isEmpty()) {
      return null;
    }
    Set<String> loaded = new HashSet<>();
    for (Manifest.Entry entry : chosen.entries()) {
      Manifest.AdapterRef adapter = entry.adapter();
      if (adapter != null && loaded.add(adapter.name())) {
        base.loadAdapter(adapter.name(), home.home.resolve("serving").resolve(adapter.path()));
      }
    }
    FeatureSpace space = FeatureSpace.load(manifests.featureSpace(chosen), Encoders.of(home.home));
    return new Router(chosen, space, PromptForm.SHORT);
  }

  private static long number(String reference) {
    String digits = reference.startsWith("v") ? reference.substring(1) : reference;
    try {
      return Long.parseLong(digits);
    } catch (NumberFormatException e) {
      throw new PlanException(
          "--manifest " + reference + " is neither a number, such as 3 or v000003, nor 'live'");
    }
  }

  /** Sums over all that was served. */
  private static final class Totals {
    private long problems;
    private long passed;
    private long fired;
    private Budget budget = Budget.ZERO;

    void add(Served one) {
      problems++;
      passed += one.solution().passed() ? 1 : 0;
      fired += one.route().fired() ? 1 : 0;
      budget = budget.plus(one.solution().budget());
    }
  }

  private void report(Totals totals, double seconds, @Nullable Manifest served) throws IOException {
    PrintWriter out = Objects.requireNonNull(spec).commandLine().getOut();
    double samples = (double) totals.budget.units() / totals.problems;
    String by = served == null ? null : Manifest.name(served.number());
    if (home.json) {
      ObjectNode node = Jsons.mapper().createObjectNode();
      node.put("days", days);
      node.put("problems", totals.problems);
      node.put("passed", totals.passed);
      node.put("fired", totals.fired);
      node.put("mean_samples", samples);
      node.put("prompt_tokens", totals.budget.promptTokens());
      node.put("completion_tokens", totals.budget.completionTokens());
      node.put("seconds", seconds);
      node.put("problems_per_second", totals.problems / seconds);
      node.put("served_by", by);
      node.put("log", home.home.resolve(log).toString());
      out.println(Jsons.mapper().writeValueAsString(node));
    } else {
      out.printf(
          Locale.ROOT,
          "%d problems, %.1f%% passed, %.2f samples each, %.1f problems/s, served by %s; logs in"
              + " %s%n",
          totals.problems,
          100.0 * totals.passed / totals.problems,
          samples,
          totals.problems / seconds,
          by == null ? "the base model" : by,
          home.home.resolve(log));
    }
    out.flush();
  }
}
