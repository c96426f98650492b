package io.knack.scheduler;

import com.fasterxml.jackson.core.JsonProcessingException;
import io.knack.contracts.cli.HomeOptions;
import io.knack.contracts.cli.Terminal;
import io.knack.contracts.id.RunId;
import io.knack.contracts.plan.Plans;
import io.knack.contracts.stage.StageRunner;
import io.knack.contracts.store.Jsons;
import io.knack.scheduler.NightForecast.StageForecast;
import io.knack.scheduler.NightRecord.StageRecord;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code night}: all stages in order, by hand. */
@Command(
    name = "night",
    mixinStandardHelpOptions = true,
    description = {
      "Runs all stages in order, each a process of its own. A night that did not end is resumed",
      "where it stopped; a second run over the same logs does nothing."
    },
    footer = {"", "Example: ./knack night --plan config/night.yaml --dry-run"})
public final class NightCommand implements Callable<Integer> {
  @Mixin HomeOptions home = new HomeOptions();

  @Option(names = "--plan", paramLabel = "FILE", description = "YAML plan; defaults without one")
  @Nullable Path plan;

  @Option(names = "--set", paramLabel = "PATH=VALUE", description = "override one plan field")
  List<String> overrides = new ArrayList<>();

  @Option(names = "--run", paramLabel = "ID", description = "run id; names the night")
  @Nullable String run;

  @Option(
      names = "--dry-run",
      description = "say what would run and what it would cost; run nothing")
  boolean dryRun;

  @Spec @Nullable CommandSpec spec;

  @Override
  public Integer call() throws InterruptedException, JsonProcessingException {
    NightPlan night = Plans.read(NightPlan.class, plan, overrides);
    RunId id = run == null ? null : StageRunner.checkedRunId(run);
    StageGraph graph = StageGraph.read(resolve(night.graph()));
    ProcessLauncher launcher = ProcessLauncher.ofThisProcess();
    Night work =
        new Night(
            home.home,
            night,
            graph,
            launcher,
            Clock.systemUTC(),
            Terminal.standard(),
            Night.Pause.REAL);
    NightForecast forecast = work.forecast(id);
    new StagePlans(home.home, night, graph, launcher).check(forecast);
    if (dryRun) {
      print(forecast);
      return 0;
    }
    NightRecord record = runUntilEndOrSignal(work, id);
    print(record);
    return record.exit() == null ? 70 : record.exit();
  }

  /** On SIGTERM the stage at work saves and leaves, the record says so, and the exit code is 75. */
  private static NightRecord runUntilEndOrSignal(Night work, @Nullable RunId id)
      throws InterruptedException {
    CountDownLatch ended = new CountDownLatch(1);
    Thread hook =
        new Thread(
            () -> {
              work.stop();
              try {
                ended.await(3, TimeUnit.MINUTES);
              } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
              }
              Runtime.getRuntime().halt(75);
            },
            "night-stop");
    Runtime.getRuntime().addShutdownHook(hook);
    try {
      return work.run(id);
    } finally {
      ended.countDown();
      try {
        Runtime.getRuntime().removeShutdownHook(hook);
      } catch (IllegalStateException e) {
        // The signal came: the hook halts the process with 75.
      }
    }
  }

  /** Configuration shipped with the project is found from any directory. */
  static Path resolve(Path file) {
    String launcher = System.getenv("KNACK_LAUNCHER");
    if (file.toFile().exists() || launcher == null) {
      return file;
    }
    return Path.of(launcher).resolveSibling(file.toString());
  }

  private void print(NightForecast forecast) throws JsonProcessingException {
    PrintWriter out = out();
    if (home.json) {
      out.println(Jsons.mapper().writeValueAsString(forecast));
    } else {
      out.printf(
          Locale.ROOT, "night %s, %.1f MB of logs%n", forecast.run(), forecast.inputBytes() / 1e6);
      for (StageForecast stage : forecast.stages()) {
        out.printf(
            Locale.ROOT,
            "  %-9s %-5s %s%n            %s%n",
            stage.name(),
            stage.action(),
            stage.seconds() == null
                ? "never ran here, cost unknown"
                : cost(stage.seconds(), stage.tokens(), stage.money()),
            "./knack " + String.join(" ", stage.arguments()));
      }
      out.println(
          forecast.seconds() == null
              ? "in all: unknown before each stage has run once; " + limits(forecast.limits())
              : "in all: "
                  + cost(forecast.seconds(), forecast.tokens(), forecast.money())
                  + "; "
                  + limits(forecast.limits()));
    }
    out.flush();
  }

  private static String cost(double seconds, @Nullable Double tokens, @Nullable Double money) {
    return String.format(
        Locale.ROOT,
        "about %.0f s%s%s",
        seconds,
        tokens == null || tokens == 0 ? "" : String.format(Locale.ROOT, ", %.0f tokens", tokens),
        money == null || money == 0
            ? ""
            : String.format(Locale.ROOT, ", %.4f by the price book", money));
  }

  private static String limits(NightPlan.Limits limits) {
    List<String> words = new ArrayList<>();
    if (limits.tokens() != null) {
      words.add(limits.tokens() + " tokens");
    }
    if (limits.deviceMinutes() != null) {
      words.add(limits.deviceMinutes() + " device minutes");
    }
    if (limits.money() != null) {
      words.add(limits.money() + " by the price book");
    }
    if (limits.window() != null) {
      words.add("a window of " + Night.spell(limits.window()));
    }
    return words.isEmpty() ? "no limits are set" : "limited to " + String.join(", ", words);
  }

  private void print(NightRecord record) throws JsonProcessingException {
    PrintWriter out = out();
    if (home.json) {
      out.println(Jsons.mapper().writeValueAsString(record));
    } else {
      for (StageRecord stage : record.stages()) {
        out.printf(
            Locale.ROOT,
            "%-9s %-17s %7.1f s  %s%n",
            stage.name(),
            stage.outcome(),
            stage.seconds(),
            stage.reason() == null ? "" : stage.reason());
      }
      out.println("night " + record.run() + ": " + record.reason());
    }
    out.flush();
  }

  private PrintWriter out() {
    if (spec == null) {
      throw new IllegalStateException("picocli injects the command's own description");
    }
    return spec.commandLine().getOut();
  }
}
