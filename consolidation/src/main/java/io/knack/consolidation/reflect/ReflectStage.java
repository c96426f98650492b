package io.knack.consolidation.reflect;

import io.knack.consolidation.draft.Rejection;
import io.knack.consolidation.ledger.LedgerFiles;
import io.knack.consolidation.ledger.LedgerNight;
import io.knack.consolidation.ledger.RuleBook;
import io.knack.contracts.Cluster;
import io.knack.contracts.Example;
import io.knack.contracts.Rule;
import io.knack.contracts.RuleEvent;
import io.knack.contracts.SparseVector;
import io.knack.contracts.cli.Console;
import io.knack.contracts.id.ClusterId;
import io.knack.contracts.stage.Stage;
import io.knack.contracts.stage.StageContext;
import io.knack.contracts.stage.StageInput;
import io.knack.contracts.stage.StageInput.Need;
import io.knack.contracts.stage.StageInputs;
import io.knack.contracts.stage.StageResult;
import io.knack.contracts.stage.TemporaryException;
import io.knack.contracts.store.Artifact;
import io.knack.contracts.store.ArtifactKind;
import io.knack.contracts.store.Digests;
import io.knack.contracts.store.Jsons;
import io.knack.contracts.table.Tables;
import io.knack.llm.LanguageModel;
import io.knack.llm.MeteredModel;
import io.knack.practice.features.Encoders;
import io.knack.practice.features.FeatureSpace;
import io.knack.practice.verify.Verifiers;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.stream.Stream;

/** {@code reflect}: examples to rules. Reads the curriculum and clusters, adds to the ledger. */
public final class ReflectStage implements Stage<ReflectPlan> {
  private final ModelSource models;

  public ReflectStage(ModelSource models) {
    this.models = models;
  }

  @Override
  public String name() {
    return "reflect";
  }

  @Override
  public Class<ReflectPlan> planType() {
    return ReflectPlan.class;
  }

  @Override
  public ArtifactKind produces() {
    return ArtifactKind.RULES;
  }

  @Override
  public List<StageInput> inputs(ReflectPlan plan) {
    return List.of(
        new StageInput(ArtifactKind.CURRICULUM, Need.LATEST),
        new StageInput(ArtifactKind.CLUSTERS, Need.LATEST),
        new StageInput(ArtifactKind.RULES, Need.CHAIN_IF_ANY));
  }

  @Override
  public StageResult run(ReflectPlan plan, StageInputs inputs, StageContext context)
      throws IOException {
    Artifact curriculum = inputs.required(ArtifactKind.CURRICULUM);
    RuleBook book = LedgerFiles.replay(inputs.chain(ArtifactKind.RULES));
    Instant at = context.clock().instant();
    LedgerNight night = new LedgerNight(book, context.run(), at, plan.upkeep());
    Lessons gathered = new Lessons(plan);
    List<Lesson> lessons =
        gathered.gather(
            () -> Tables.EXAMPLES.readFrom(curriculum.directory()),
            () -> Tables.EVIDENCE.readFrom(curriculum.directory()));
    context.console().say("reflecting on " + lessons.size() + " clusters");
    Map<String, Object> figures = new TreeMap<>();
    figures.put("untested", gathered.untested());
    try (LanguageModel model = new MeteredModel(models.open(plan), context.allowance());
        Verifiers verifiers = new Verifiers(context.home(), model);
        // How many drafts will be replayed shows only as they come.
        Console.Progress progress = context.console().progress("problems replayed", -1)) {
      DraftReader reader = new DraftReader(plan);
      Reflector reflector = new Reflector(model, plan, reader);
      BiFunction<Lesson, Way, List<Rule>> known = (lesson, way) -> night.rules(lesson.shelf(way));
      Map<Lesson, Map<Way, List<Proposal>>> proposals = reflector.propose(lessons, known);
      if (context.stopRequested()) {
        throw new TemporaryException("reflect was asked to stop; run it again");
      }
      Replay replay = new Replay(model, plan, verifiers, progress);
      Screening screening = new Screening(plan, replay, known);
      Map<Lesson, Map<Way, List<Proposal>>> ranked = screening.ranked(proposals);
      figures.put("crossed", screening.crossed());
      new Examination(
              plan,
              replay,
              night,
              at,
              model::countTokens,
              strangers(
                  plan,
                  lessons,
                  inputs.required(ArtifactKind.CLUSTERS),
                  Encoders.of(context.home())),
              reader)
          .run(book, ranked);
      night.forget();
      figures(figures, lessons, reflector, reader, replay);
    }
    List<RuleEvent> events = night.events();
    for (RuleEvent event : events) {
      figures.merge(
          "events_" + event.kind().name().toLowerCase(Locale.ROOT),
          1L,
          (a, b) -> (Long) a + (Long) b);
    }
    List<Rule> live = book.live().rules();
    figures.put("rules_live", (long) live.size());
    if (events.isEmpty()) {
      return inputs.chain(ArtifactKind.RULES).isEmpty()
          ? new StageResult.Nothing("no rule earned its place: " + figures)
          : StageResult.Unchanged.of("no rule came, went or was tried", figures);
    }
    LedgerFiles.write(context.output(), events, book.live());
    return StageResult.Produced.of(contentDigest(live), plan.seed(), figures);
  }

  private static void figures(
      Map<String, Object> figures,
      List<Lesson> lessons,
      Reflector reflector,
      DraftReader reader,
      Replay replay) {
    figures.put("clusters", (long) lessons.size());
    figures.put("reflections", reflector.calls());
    figures.put("reflection_faults", reflector.faults());
    figures.put("reflections_too_long", reflector.tooLong());
    figures.put("reworded", reader.reworded());
    figures.put(
        "reflection_tokens",
        reflector.usage().promptTokens() + reflector.usage().completionTokens());
    figures.put("replay_tokens", replay.spent().promptTokens() + replay.spent().completionTokens());
    figures.put("replay_faults", replay.faults());
    for (Rejection why : Rejection.values()) {
      figures.put(
          "rejected_" + why.name().toLowerCase(Locale.ROOT),
          reader.rejected().getOrDefault(why, 0L));
    }
  }

  /** Over the live rules, without times. */
  static String contentDigest(List<Rule> live) throws IOException {
    List<String> lines = new ArrayList<>();
    for (Rule r : live) {
      lines.add(
          Jsons.mapper()
              .writeValueAsString(
                  new Rule(
                      r.id(),
                      r.clusterId(),
                      r.tenant(),
                      r.way(),
                      r.when(),
                      r.then(),
                      r.scope(),
                      r.evidence(),
                      r.helped(),
                      r.harmed(),
                      r.value(),
                      r.tokens(),
                      Instant.EPOCH,
                      null)));
    }
    lines.sort(null);
    return Digests.sha256(String.join("\n", lines));
  }

  /** Validation problems that belong elsewhere but lie nearest to a lesson's cluster. */
  private static Function<Lesson, List<Example>> strangers(
      ReflectPlan plan, List<Lesson> lessons, Artifact clusters, Encoders encoders) {
    Path file = clusters.file("feature_space.bin");
    if (plan.replaying().others() == 0 || lessons.size() < 2 || !Files.exists(file)) {
      return lesson -> List.of();
    }
    FeatureSpace space = FeatureSpace.load(file, encoders);
    Set<ClusterId> taught = new HashSet<>();
    lessons.forEach(lesson -> taught.add(lesson.cluster()));
    Map<ClusterId, SparseVector> centroids = new HashMap<>();
    try (Stream<Cluster> rows = Tables.CLUSTERS.readFrom(clusters.directory())) {
      rows.filter(c -> taught.contains(c.clusterId()))
          .forEach(c -> centroids.put(c.clusterId(), c.centroid()));
    }
    return new Strangers(plan, lessons, space, centroids);
  }
}
