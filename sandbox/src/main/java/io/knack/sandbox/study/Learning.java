package io.knack.sandbox.study;

import io.knack.consolidation.episodes.RememberPlan;
import io.knack.consolidation.episodes.RememberStage;
import io.knack.consolidation.reflect.ReflectPlan;
import io.knack.consolidation.reflect.ReflectStage;
import io.knack.contracts.Cluster;
import io.knack.contracts.Evidence;
import io.knack.contracts.Example;
import io.knack.contracts.SparseVector;
import io.knack.contracts.Split;
import io.knack.contracts.cli.Console;
import io.knack.contracts.id.ClusterId;
import io.knack.contracts.id.FamilyId;
import io.knack.contracts.id.RunId;
import io.knack.contracts.id.TenantId;
import io.knack.contracts.plan.Plans;
import io.knack.contracts.stage.ContractException;
import io.knack.contracts.stage.Stage;
import io.knack.contracts.stage.StageInputs;
import io.knack.contracts.stage.StageRunner;
import io.knack.contracts.store.Artifact;
import io.knack.contracts.store.ArtifactCard;
import io.knack.contracts.store.ArtifactKind;
import io.knack.contracts.store.ArtifactStore;
import io.knack.contracts.table.Tables;
import io.knack.llm.LanguageModel;
import io.knack.practice.features.HashedSpace;
import io.knack.practice.prompt.Prompts;
import io.knack.practice.solve.Solution;
import io.knack.practice.solve.SolveTask;
import io.knack.practice.solve.SolverOptions;
import io.knack.practice.solve.Solvers;
import io.knack.practice.verify.Verifiers;
import io.knack.trainer.TrainPlan;
import io.knack.trainer.TrainStage;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Learns from the known problems of a study as a night does: the base model solves them, what was
 * verified becomes the curriculum, and the stages {@code train}, {@code reflect} and {@code
 * remember} make their memories of it. Only mining is left out, since a problem set says itself
 * which problems belong together.
 */
final class Learning {
  private static final String SPACE = "feature_space.bin";
  private static final int TRIES = 32;

  private final Path home;
  private final Path model;
  private final String modelName;
  private final SolverOptions options;
  private final long seed;
  private final Console console;
  private final ArtifactStore store;

  /**
   * @param home a workspace of the study's own
   * @param options of the solver; its form is the form of all prompts
   */
  Learning(
      Path home, Path model, String modelName, SolverOptions options, long seed, Console console) {
    this.home = home;
    this.model = model;
    this.modelName = modelName;
    this.options = options;
    this.seed = seed;
    this.console = console;
    this.store = ArtifactStore.open(home);
  }

  /** Curriculum and clusters: what the base model can solve with up to {@value #TRIES} answers. */
  void solve(ProblemSet problems, LanguageModel base, Verifiers verifiers) throws IOException {
    Map<String, Solution> solved = new HashMap<>();
    List<SolveTask> tasks = new ArrayList<>();
    Prompts prompts = Prompts.of(options.form());
    for (Example example : problems.known()) {
      if (example.split() == Split.TRAIN && example.completion() == null) {
        tasks.add(
            new SolveTask(
                example.id().value(),
                example.problem(),
                prompts.problem(example.messages(), List.of(), List.of()),
                null,
                null,
                example.reference(),
                verifiers.verifier(example.verifier()),
                seed * 1_000_003 + example.id().value().hashCode(),
                0));
      }
    }
    try (Console.Progress progress =
        console.progress("solving what is to be learnt", tasks.size())) {
      Solvers.named("best_of_n")
          .solve(
              base,
              tasks,
              options.withMaxSamples(TRIES),
              (task, solution) -> {
                solved.put(task.id(), solution);
                progress.step(1);
              });
    }
    List<Example> examples = new ArrayList<>();
    List<Evidence> evidence = new ArrayList<>();
    for (Example example : problems.known()) {
      Solution solution = solved.get(example.id().value());
      if (solution != null) {
        evidence.add(new Evidence(example.id(), solution.attempts()));
      }
      if (example.split() != Split.TRAIN || example.completion() != null) {
        examples.add(example);
      } else if (solution != null && solution.passed()) {
        examples.add(withCompletion(example, solution.answer()));
      }
    }
    if (examples.stream().noneMatch(e -> e.split() == Split.TRAIN)) {
      throw new ContractException(
          "the base model solves none of the problems to learn from with "
              + TRIES
              + " answers each; give solutions in the field 'completion'");
    }
    commit(examples, evidence);
  }

  private static Example withCompletion(Example e, String completion) {
    return new Example(
        e.id(),
        e.clusterId(),
        e.sourceInteractionIds(),
        e.occurredAt(),
        e.conversation(),
        e.tenant(),
        e.subject(),
        e.tags(),
        e.messages(),
        completion,
        e.reference(),
        e.verifier(),
        e.score(),
        e.weight(),
        e.split());
  }

  private void commit(List<Example> examples, List<Evidence> evidence) throws IOException {
    Path curriculum = store.stage(ArtifactKind.CURRICULUM, new RunId("study"));
    Tables.EXAMPLES.writeInto(curriculum, examples);
    Tables.EVIDENCE.writeInto(curriculum, evidence);
    store.commit(
        curriculum, card(ArtifactKind.CURRICULUM, Tables.EXAMPLES.contentDigest(examples)));
    HashedSpace space = HashedSpace.fit(examples.stream().map(Example::problem).toList(), seed);
    SortedMap<String, List<Example>> byCluster = new TreeMap<>();
    for (Example example : examples) {
      ClusterId id = example.clusterId();
      if (id != null) {
        byCluster.computeIfAbsent(id.value(), k -> new ArrayList<>()).add(example);
      }
    }
    List<Cluster> clusters = new ArrayList<>();
    byCluster.forEach((id, own) -> clusters.add(cluster(id, own, space)));
    Path mined = store.stage(ArtifactKind.CLUSTERS, new RunId("study"));
    Tables.CLUSTERS.writeInto(mined, clusters);
    space.save(mined.resolve(SPACE));
    store.commit(mined, card(ArtifactKind.CLUSTERS, Tables.CLUSTERS.contentDigest(clusters)));
  }

  private ArtifactCard card(ArtifactKind kind, String digest) {
    return new ArtifactCard(
        kind,
        1,
        "study",
        "study",
        new RunId("study"),
        Instant.EPOCH,
        "study",
        "{}",
        List.of(),
        List.of(),
        digest,
        seed,
        List.of(),
        new TreeMap<>(),
        Map.of(),
        null);
  }

  private static Cluster cluster(String id, List<Example> own, HashedSpace space) {
    TreeMap<Integer, Double> sum = new TreeMap<>();
    List<SparseVector> vectors = own.stream().map(e -> space.vector(e.problem())).toList();
    for (SparseVector vector : vectors) {
      for (int i = 0; i < vector.indices().size(); i++) {
        sum.merge(vector.indices().get(i), (double) vector.values().get(i), Double::sum);
      }
    }
    double norm = Math.sqrt(sum.values().stream().mapToDouble(v -> v * v).sum());
    SparseVector centroid =
        new SparseVector(
            List.copyOf(sum.keySet()),
            sum.values().stream().map(v -> (float) (v / Math.max(1e-12, norm))).toList());
    double cohesion =
        vectors.stream().mapToDouble(v -> space.similarity(v, centroid)).average().orElse(0);
    LocalDate day = own.get(0).occurredAt().atZone(ZoneOffset.UTC).toLocalDate();
    TenantId tenant = own.get(0).tenant();
    return new Cluster(
        new ClusterId(id),
        new FamilyId(id),
        Cluster.Event.BORN,
        List.of(),
        tenant,
        own.size(),
        day,
        day,
        1,
        1,
        List.of(tenant),
        true,
        cohesion,
        null,
        0,
        0,
        0,
        0,
        centroid,
        space.digest(),
        List.of(),
        List.of());
  }

  /** Adapters, rules and episodes; a kind that finds nothing to keep is left out. */
  StageInputs learn(List<String> trainSettings) {
    run(new RememberStage(), Plans.read(RememberPlan.class, null, List.of()));
    run(
        new ReflectStage(new io.knack.consolidation.reflect.Models()),
        Plans.read(
            ReflectPlan.class,
            null,
            List.of(
                "model=" + model,
                "seed=" + seed,
                "solver.form=" + options.form().name().toLowerCase(java.util.Locale.ROOT),
                "solver.max_tokens=" + options.maxTokens())));
    List<String> train = new ArrayList<>(trainSettings);
    train.addAll(List.of("model=" + model, "base_model_name=" + modelName, "seed=" + seed));
    run(new TrainStage(), Plans.read(TrainPlan.class, null, train));
    Map<ArtifactKind, List<Artifact>> artifacts = new HashMap<>();
    for (ArtifactKind kind :
        List.of(
            ArtifactKind.CURRICULUM,
            ArtifactKind.CLUSTERS,
            ArtifactKind.ADAPTERS,
            ArtifactKind.RULES,
            ArtifactKind.EPISODES)) {
      artifacts.put(kind, store.latest(kind).map(List::of).orElse(List.of()));
    }
    return new StageInputs(artifacts);
  }

  private <P extends Record> void run(Stage<P> stage, P plan) {
    StageRunner.Ending ending =
        new StageRunner(home, Clock.systemUTC(), console)
            .run(stage, plan, new RunId("study-" + stage.name()));
    @Nullable String reason = ending.reason();
    console.say(
        "study: "
            + stage.name()
            + " "
            + ending.outcome()
            + (reason == null ? "" : ", " + reason)
            + " "
            + ending.figures());
  }
}
