package io.knack.trainer;

import io.knack.contracts.AdapterCard;
import io.knack.contracts.Example;
import io.knack.contracts.Split;
import io.knack.contracts.erasure.RetrainQueue;
import io.knack.contracts.id.ClusterId;
import io.knack.contracts.stage.ContractException;
import io.knack.contracts.stage.PlanException;
import io.knack.contracts.stage.Stage;
import io.knack.contracts.stage.StageContext;
import io.knack.contracts.stage.StageInput;
import io.knack.contracts.stage.StageInput.Need;
import io.knack.contracts.stage.StageInputs;
import io.knack.contracts.stage.StageResult;
import io.knack.contracts.store.ArtifactKind;
import io.knack.contracts.store.Digests;
import io.knack.contracts.store.DurableFiles;
import io.knack.contracts.store.Jsons;
import io.knack.contracts.table.Tables;
import io.knack.llm.train.TokenSequence;
import io.knack.tracking.RunTracker;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** Curriculum in, one adapter per cluster out, all trained in one pass over the base. */
public final class TrainStage implements Stage<TrainPlan> {
  @Override
  public String name() {
    return "train";
  }

  @Override
  public Class<TrainPlan> planType() {
    return TrainPlan.class;
  }

  @Override
  public ArtifactKind produces() {
    return ArtifactKind.ADAPTERS;
  }

  @Override
  public List<StageInput> inputs(TrainPlan plan) {
    return List.of(new StageInput(ArtifactKind.CURRICULUM, Need.LATEST));
  }

  @Override
  public StageResult run(TrainPlan plan, StageInputs inputs, StageContext context)
      throws IOException, InterruptedException {
    Path model = plan.model();
    if (model == null) {
      throw new PlanException(
          "model: the directory of the base checkpoint is missing; set it in the plan");
    }
    Map<ClusterId, List<Example>> clusters =
        new TreeMap<>(java.util.Comparator.comparing(ClusterId::value));
    Path curriculum = inputs.required(ArtifactKind.CURRICULUM).directory();
    for (Example example : Tables.EXAMPLES.readAllFrom(curriculum)) {
      ClusterId cluster = example.clusterId();
      if (cluster != null
          && (example.split() == Split.TRAIN || example.split() == Split.VALIDATION)
          && example.completion() != null) {
        clusters.computeIfAbsent(cluster, id -> new ArrayList<>()).add(example);
      }
    }
    List<AdapterTask> tasks = tasks(plan, model, clusters);
    if (tasks.isEmpty()) {
      return new StageResult.Nothing(
          "no cluster has " + plan.minExamples() + " verified examples to learn from");
    }
    long started = System.nanoTime();
    List<LoraTraining.Outcome> outcomes;
    long steps = tasks.stream().mapToLong(t -> steps(plan, t)).sum();
    try (MetricsFile metrics =
            new MetricsFile(
                lane -> context.output().resolve(lane),
                context.console(),
                steps,
                context::stopRequested);
        RunTracker tracker = TrackedTraining.tracker(plan, context.home());
        TrackedTraining tracked =
            new TrackedTraining(tracker, "train " + context.run(), plan, tasks, metrics)) {
      outcomes =
          LoraTraining.run(
              plan, model, tasks, context.output(), context.cache().resolve("run"), tracked);
      tracked.finished(outcomes);
    }
    double seconds = (System.nanoTime() - started) / 1e9;
    // A kill before the commit loses the place in the queue, not the work: this stage runs again.
    int retrained =
        RetrainQueue.settle(
            context.home(),
            outcomes.stream()
                .map(outcome -> new ClusterId(outcome.name()))
                .collect(Collectors.toSet()));
    return commit(plan, model, clusters, outcomes, seconds, retrained);
  }

  private static long steps(TrainPlan plan, AdapterTask task) {
    return new ExampleLane(task.name(), task.examples(), List.of(), plan).steps();
  }

  private static List<AdapterTask> tasks(
      TrainPlan plan, Path model, Map<ClusterId, List<Example>> clusters) {
    List<AdapterTask> tasks = new ArrayList<>();
    try (TrainingData data = new TrainingData(model, plan)) {
      Map<ClusterId, List<TokenSequence>> train =
          new TreeMap<>(java.util.Comparator.comparing(ClusterId::value));
      clusters.forEach(
          (id, examples) ->
              train.put(
                  id, data.of(examples.stream().filter(e -> e.split() == Split.TRAIN).toList())));
      for (Map.Entry<ClusterId, List<TokenSequence>> entry : train.entrySet()) {
        if (entry.getValue().size() < Math.max(1, plan.minExamples())) {
          continue;
        }
        List<TokenSequence> held =
            data.of(
                clusters.getOrDefault(entry.getKey(), List.of()).stream()
                    .filter(e -> e.split() == Split.VALIDATION)
                    .toList());
        tasks.add(new AdapterTask(entry.getKey().value(), entry.getValue(), held, null));
      }
    }
    return Replay.mix(
        tasks,
        plan.replayRatio(),
        plan.seed(),
        task -> tenants(clusters.getOrDefault(new ClusterId(task.name()), List.of())));
  }

  /** The tenants behind some examples; several where a cluster is shared. */
  private static String tenants(List<Example> examples) {
    return examples.stream()
        .map(example -> example.tenant().value())
        .distinct()
        .sorted()
        .collect(Collectors.joining("\n"));
  }

  private static StageResult commit(
      TrainPlan plan,
      Path model,
      Map<ClusterId, List<Example>> clusters,
      List<LoraTraining.Outcome> outcomes,
      double seconds,
      int retrained)
      throws IOException {
    List<String> digests = new ArrayList<>();
    String base =
        plan.baseModelName() != null
            ? plan.baseModelName()
            : model.toAbsolutePath().normalize().getFileName().toString();
    long all = outcomes.stream().mapToLong(LoraTraining.Outcome::steps).sum();
    for (LoraTraining.Outcome outcome : outcomes) {
      ClusterId id = new ClusterId(outcome.name());
      List<Example> examples = clusters.get(id);
      if (examples == null) {
        throw new ContractException("cluster " + id + " is not in the curriculum");
      }
      AdapterCard card =
          new AdapterCard(
              outcome.name(),
              id,
              examples.get(0).tenant(),
              base,
              plan.baseRevision(),
              outcome.examples(),
              outcome.steps(),
              seconds * outcome.steps() / Math.max(1, all));
      DurableFiles.replace(
          outcome.directory().resolve(AdapterCard.FILE),
          Jsons.mapper().writeValueAsString(card) + "\n");
      digests.add(
          outcome.name()
              + " "
              + Digests.sha256(outcome.directory().resolve("adapter_model.safetensors"))
              + " "
              + Digests.sha256(
                  Files.readString(outcome.directory().resolve("adapter_config.json"))));
    }
    return StageResult.Produced.of(
        Digests.sha256(String.join("\n", digests)),
        plan.seed(),
        Map.of(
            "adapters",
            outcomes.size(),
            "steps",
            all,
            "seconds",
            seconds,
            "retrained_after_erasure",
            retrained,
            "examples",
            outcomes.stream().mapToLong(LoraTraining.Outcome::examples).sum()));
  }
}
