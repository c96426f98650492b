package io.knack.tracking;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.knack.contracts.cli.HomeOptions;
import io.knack.contracts.plan.HttpAddress;
import io.knack.contracts.stage.ExitCode;
import io.knack.contracts.stage.PlanException;
import io.knack.contracts.stage.TemporaryException;
import io.knack.contracts.store.Jsons;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code track}: what was recorded without a server, into MLflow. */
@Command(
    name = "track",
    mixinStandardHelpOptions = true,
    description = "Sends what was recorded in HOME/tracking to an MLflow server, and waits for it.",
    footer = {
      "",
      "Stages do so by themselves where a server is set; this is for records from",
      "before. What is sent twice is there once.",
      "",
      "Example: ./knack track --server http://localhost:5000"
    })
public final class TrackCommand implements Callable<Integer> {
  @Mixin HomeOptions home = new HomeOptions();

  @Spec @Nullable CommandSpec spec;

  @Option(
      names = "--server",
      paramLabel = "URL",
      description = "the server (default: $MLFLOW_TRACKING_URI)")
  @Nullable String server;

  @Option(
      names = "--wait",
      paramLabel = "SECONDS",
      defaultValue = "600",
      description = "how long to wait for it (default: ${DEFAULT-VALUE})")
  int waitSeconds;

  @Override
  public Integer call() {
    if (waitSeconds < 1) {
      throw new PlanException("--wait is " + waitSeconds + ", expected at least 1 second");
    }
    TrackingPlan environment = TrackingPlan.of(System.getenv());
    String address = server == null ? environment.server() : server;
    if (address == null) {
      throw new PlanException(
          "track: no MLflow server; name it with --server or in MLFLOW_TRACKING_URI, as"
              + " http://localhost:5000");
    }
    HttpAddress.problem(address)
        .ifPresent(
            problem -> {
              throw new PlanException("--server " + problem);
            });
    TrackingPlan plan =
        new TrackingPlan(
            address,
            environment.experiment(),
            environment.tokenVariable(),
            environment.timeout(),
            Duration.ofSeconds(waitSeconds));
    Path spools = home.home.resolve("tracking");
    long before = count(spools, ".jsonl");
    RunTracker tracker = RunTracker.open(plan, home.home);
    tracker.close();
    long waiting = count(spools, ".jsonl");
    tell(before, waiting, count(spools, ".rejected.jsonl"));
    if (waiting > 0) {
      throw new TemporaryException(
          waiting
              + " of "
              + before
              + " files wait in "
              + spools
              + " still: the server was not to be reached or did not take them in "
              + waitSeconds
              + " s; try again when it answers");
    }
    return ExitCode.OK.code();
  }

  /** Files of records, those that were refused apart. */
  private static long count(Path spools, String ending) {
    if (!Files.isDirectory(spools)) {
      return 0;
    }
    String rejected = ".rejected.jsonl";
    try (Stream<Path> files = Files.list(spools)) {
      return files
          .map(Path::toString)
          .filter(name -> name.endsWith(ending))
          .filter(name -> ending.equals(rejected) || !name.endsWith(rejected))
          .count();
    } catch (IOException e) {
      throw TemporaryException.of("cannot list " + spools, e);
    }
  }

  private void tell(long before, long waiting, long rejected) {
    PrintWriter out = Objects.requireNonNull(spec).commandLine().getOut();
    if (home.json) {
      ObjectNode node = Jsons.mapper().createObjectNode();
      node.put("sent", before - waiting).put("waiting", waiting).put("rejected", rejected);
      try {
        out.println(Jsons.mapper().writeValueAsString(node));
      } catch (JsonProcessingException e) {
        throw new IllegalStateException(e);
      }
    } else {
      out.printf(
          "%d files of records sent, %d wait, %d hold what was refused%n",
          before - waiting, waiting, rejected);
    }
    out.flush();
  }
}
