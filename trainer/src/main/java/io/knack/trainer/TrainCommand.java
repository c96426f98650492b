package io.knack.trainer;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.knack.contracts.Quarantined;
import io.knack.contracts.cli.StageOptions;
import io.knack.contracts.cli.Terminal;
import io.knack.contracts.plan.Plans;
import io.knack.contracts.stage.OrderlyStop;
import io.knack.contracts.stage.PlanException;
import io.knack.contracts.stage.TemporaryException;
import io.knack.contracts.store.DurableFiles;
import io.knack.contracts.store.Jsons;
import io.knack.llm.train.TokenSequence;
import io.knack.tracking.RunTracker;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code train}: the stage, or with {@code --out} the same training without a workspace. */
@Command(
    name = "train",
    mixinStandardHelpOptions = true,
    description = "Trains LoRA adapters: of a curriculum's clusters, or of JSON lines.",
    footer = {
      "",
      "Example: ./knack train --plan config/train.yaml --model models/base --data solved.jsonl"
          + " --out adapter"
    })
public final class TrainCommand implements Callable<Integer> {
  @Mixin StageOptions options = new StageOptions();

  @Option(names = "--model", paramLabel = "DIR", description = "base checkpoint directory")
  @Nullable Path model;

  @Option(names = "--data", paramLabel = "FILE", description = "JSON lines to learn from")
  @Nullable Path data;

  @Option(names = "--out", paramLabel = "DIR", description = "where the adapter goes")
  @Nullable Path out;

  @Option(names = "--init-adapter", paramLabel = "DIR", description = "goes on from this adapter")
  @Nullable Path initAdapter;

  @Override
  public Integer call() throws IOException, InterruptedException {
    List<String> overrides = new ArrayList<>(options.overrides);
    if (model != null) {
      overrides.add("model=" + Jsons.mapper().writeValueAsString(model.toString()));
    }
    if (out == null) {
      if (data != null || initAdapter != null) {
        throw new PlanException("--data and --init-adapter go with --out, which is missing");
      }
      options.overrides = overrides;
      return options.run(new TrainStage());
    }
    TrainPlan plan = Plans.read(TrainPlan.class, options.plan, overrides);
    return options.dryRun ? StageOptions.printed(plan) : withoutWorkspace(plan, out);
  }

  private int withoutWorkspace(TrainPlan plan, Path place)
      throws IOException, InterruptedException {
    Path base = plan.model();
    if (base == null) {
      throw new PlanException("--model is missing: the directory of the base checkpoint");
    }
    if ((data == null) == plan.adapters().isEmpty()) {
      throw new PlanException("expected either --data or the plan's adapters");
    }
    Terminal console = Terminal.standard();
    Files.createDirectories(place);
    List<AdapterTask> tasks = new ArrayList<>();
    List<Quarantined> quarantine = new ArrayList<>();
    ObjectNode result = Jsons.mapper().createObjectNode();
    try (TrainingData reader = new TrainingData(base, plan)) {
      if (data != null) {
        tasks.add(task(reader, plan, "", data, initAdapter, quarantine, result));
      }
      for (TrainPlan.AdapterData adapter : plan.adapters()) {
        tasks.add(
            task(
                reader,
                plan,
                adapter.name(),
                adapter.data(),
                adapter.initAdapter(),
                quarantine,
                result));
      }
    }
    StringBuilder lines = new StringBuilder();
    for (Quarantined line : quarantine) {
      console.say(line.source() + ":" + line.line() + ": not used: " + line.reason());
      lines.append(Jsons.mapper().writeValueAsString(line)).append('\n');
    }
    if (lines.length() > 0) {
      DurableFiles.replace(place.resolve("quarantine.jsonl"), lines.toString());
    }
    console.say(
        String.format(
            java.util.Locale.ROOT,
            "train: %d lines: %d used, %d dropped and %d cut for their length, %d in quarantine",
            result.path("total").asInt(),
            tasks.stream().mapToInt(t -> t.examples().size() + t.validation().size()).sum(),
            result.path("dropped").asInt(),
            result.path("cut").asInt(),
            quarantine.size()));
    tasks = Replay.mix(tasks, plan.replayRatio(), plan.seed(), task -> "");
    long steps =
        tasks.stream()
            .filter(t -> !t.examples().isEmpty())
            .mapToLong(t -> new ExampleLane(t.name(), t.examples(), List.of(), plan).steps())
            .sum();
    List<LoraTraining.Outcome> outcomes;
    try (OrderlyStop stop = new OrderlyStop()) {
      outcomes = train(plan, base, tasks, place, console, steps, stop);
    }
    for (LoraTraining.Outcome outcome : outcomes) {
      result
          .withArray("adapters")
          .addObject()
          .put("name", outcome.name())
          .put("directory", outcome.directory().toString())
          .put("examples", outcome.examples())
          .put("steps", outcome.steps())
          .put("loss", outcome.loss());
      console.say(
          String.format(
              java.util.Locale.ROOT,
              "%s: %d examples, %d steps, loss %.4f",
              outcome.directory(),
              outcome.examples(),
              outcome.steps(),
              outcome.loss()));
    }
    if (options.home.json) {
      System.out.println(result);
    }
    return 0;
  }

  private static List<LoraTraining.Outcome> train(
      TrainPlan plan,
      Path base,
      List<AdapterTask> tasks,
      Path place,
      Terminal console,
      long steps,
      OrderlyStop stop)
      throws IOException, InterruptedException {
    try (MetricsFile metrics = new MetricsFile(place::resolve, console, steps, stop::requested);
        RunTracker tracker = TrackedTraining.tracker(plan, place.resolve(".knack"));
        TrackedTraining tracked =
            new TrackedTraining(tracker, "train " + place.getFileName(), plan, tasks, metrics)) {
      List<LoraTraining.Outcome> outcomes =
          LoraTraining.run(plan, base, tasks, place, place.resolve(".checkpoints"), tracked);
      tracked.finished(outcomes);
      return outcomes;
    } catch (TemporaryException e) {
      if (stop.requested()) {
        // The process ends before the command line can say it.
        console.say("knack: " + e.getMessage());
      }
      throw e;
    }
  }

  private static AdapterTask task(
      TrainingData reader,
      TrainPlan plan,
      String name,
      Path file,
      @Nullable Path initAdapter,
      List<Quarantined> quarantine,
      ObjectNode result)
      throws IOException {
    TrainingData.Read read = reader.read(file);
    quarantine.addAll(read.quarantine());
    result.put("total", result.path("total").asInt() + read.total());
    result.put("quarantined", result.path("quarantined").asInt() + read.quarantine().size());
    result.put("dropped", result.path("dropped").asInt() + read.dropped());
    result.put("cut", result.path("cut").asInt() + read.cut());
    List<TokenSequence> all = new ArrayList<>(read.sequences());
    int held = (int) Math.round(plan.validationFraction() * all.size());
    List<TokenSequence> validation = new ArrayList<>();
    if (held > 0) {
      // Spread evenly, so that an ordered file does not lose its end.
      for (int i = held - 1; i >= 0; i--) {
        validation.add(all.remove((int) ((i + 0.5) * all.size() / held)));
      }
    }
    return new AdapterTask(name, all, validation, initAdapter);
  }
}
