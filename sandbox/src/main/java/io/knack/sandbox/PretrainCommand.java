package io.knack.sandbox;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.knack.contracts.cli.Console;
import io.knack.contracts.cli.Terminal;
import io.knack.contracts.plan.Plans;
import io.knack.contracts.stage.ExitCode;
import io.knack.contracts.stage.OrderlyStop;
import io.knack.contracts.store.Jsons;
import io.knack.sandbox.base.BaseModel;
import io.knack.trainer.FullPlan;
import io.knack.trainer.FullTraining;
import io.knack.trainer.StepReport;
import io.knack.trainer.TrainingListener;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code sandbox pretrain}: the base model, from nothing. */
@Command(
    name = "pretrain",
    mixinStandardHelpOptions = true,
    description = {
      "Trains the sandbox's base model from random weights, as config/pretrain.yaml says.",
      "Stopped (Ctrl-C, kill, power), the same command goes on from the last checkpoint."
    },
    footer = {"", "Example: ./knack sandbox pretrain --out my-model"})
public final class PretrainCommand implements Callable<Integer> {
  @Spec @Nullable CommandSpec spec;

  @Option(names = "--out", required = true, paramLabel = "DIR", description = "the checkpoint")
  Path out = Path.of("base-model");

  @Option(
      names = "--work",
      paramLabel = "DIR",
      description = "checkpoints on the way (default: OUT.work)")
  @Nullable Path work;

  @Option(names = "--plan", paramLabel = "FILE", description = "YAML plan of the training")
  @Nullable Path plan;

  @Option(names = "--set", paramLabel = "PATH=VALUE", description = "override one plan field")
  List<String> overrides = new ArrayList<>();

  @Option(names = "--seed", defaultValue = "1", description = "of the mixture (default: 1)")
  long seed = 1;

  @Option(names = "--json", description = "one JSON document on standard output")
  boolean json;

  @Override
  public Integer call() throws IOException, InterruptedException {
    FullPlan recipe = Plans.read(FullPlan.class, recipe(), overrides);
    BaseModel base = new BaseModel(seed);
    Path checkpoints = work == null ? out.resolveSibling(out.getFileName() + ".work") : work;
    Files.createDirectories(checkpoints);
    try (OrderlyStop stop = new OrderlyStop();
        BufferedWriter curve =
            Files.newBufferedWriter(
                checkpoints.resolve("loss.jsonl"),
                StandardOpenOption.CREATE,
                StandardOpenOption.APPEND);
        Console.Progress progress = Terminal.standard().progress("pretrain", recipe.steps())) {
      long started = System.nanoTime();
      FullTraining.Outcome outcome =
          base.train(recipe, base.shape(), checkpoints, out, new Curve(curve, progress, stop));
      report(outcome, (System.nanoTime() - started) / 1e9);
      return stop.requested() ? ExitCode.TEMPORARY.code() : ExitCode.OK.code();
    }
  }

  /** The shipped plan, wherever the command is run from. */
  private @Nullable Path recipe() {
    if (plan != null) {
      return plan;
    }
    String launcher = System.getenv("KNACK_LAUNCHER");
    Path shipped =
        launcher == null
            ? Path.of("config/pretrain.yaml")
            : Path.of(launcher).resolveSibling("config/pretrain.yaml");
    return Files.exists(shipped) ? shipped : null;
  }

  private void report(FullTraining.Outcome outcome, double seconds) throws IOException {
    PrintWriter words = Objects.requireNonNull(spec).commandLine().getOut();
    if (json) {
      ObjectNode node = Jsons.mapper().createObjectNode();
      node.put("out", out.toString());
      node.put("steps", outcome.steps());
      node.put("loss", outcome.loss());
      node.put("parameters", outcome.parameters());
      node.put("seconds", seconds);
      words.println(Jsons.mapper().writeValueAsString(node));
    } else {
      words.printf(
          "%s: %d parameters, %d steps, loss %.4f, %.0f s%n",
          out, outcome.parameters(), outcome.steps(), outcome.loss(), seconds);
    }
    words.flush();
  }

  /** Writes the loss curve and moves the bar. */
  private static final class Curve implements TrainingListener {
    private final BufferedWriter curve;
    private final Console.Progress progress;
    private final OrderlyStop stop;

    Curve(BufferedWriter curve, Console.Progress progress, OrderlyStop stop) {
      this.curve = curve;
      this.progress = progress;
      this.stop = stop;
    }

    @Override
    public void step(StepReport report) {
      progress.step(1);
      progress.note("loss %.4f, %.0f tokens/s".formatted(report.loss(), report.tokensPerSecond()));
      try {
        ObjectNode line = Jsons.mapper().createObjectNode();
        line.put("step", report.step());
        line.put("loss", report.loss());
        line.put("learning_rate", report.learningRate());
        line.put("grad_norm", report.gradNorm());
        line.put("tokens", report.tokens());
        line.put("tokens_per_second", report.tokensPerSecond());
        curve.write(Jsons.mapper().writeValueAsString(line) + "\n");
        curve.flush();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    @Override
    public boolean stopRequested() {
      return stop.requested();
    }
  }
}
