package io.knack.evaluator.measure;

import io.knack.contracts.Example;
import io.knack.contracts.Manifest;
import io.knack.contracts.id.ClusterId;
import io.knack.practice.features.FeatureSpace;
import io.knack.practice.prompt.PromptForm;
import io.knack.practice.route.MemoryPrompt;
import io.knack.practice.route.Route;
import io.knack.practice.route.Router;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Turns problems into the questions of each side: the baseline's, and a manifest's. */
final class Sides {
  private final FeatureSpace space;
  private final PromptForm form;
  private final String baseModel;
  private final @Nullable String baseRevision;
  private final long retrievalMicros;
  private final Set<String> learntTexts;
  private final MemoryPrompt plain;

  /**
   * @param learntTexts problems of the training split, to tell exact recurrences
   */
  Sides(
      FeatureSpace space,
      PromptForm form,
      String baseModel,
      @Nullable String baseRevision,
      long retrievalMicros,
      Set<String> learntTexts) {
    this.space = space;
    this.form = form;
    this.baseModel = baseModel;
    this.baseRevision = baseRevision;
    this.retrievalMicros = retrievalMicros;
    this.learntTexts = Set.copyOf(learntTexts);
    this.plain = new MemoryPrompt(form);
  }

  /** A manifest that is not numbered yet. */
  Manifest manifest(List<Manifest.Entry> entries) {
    return new Manifest(
        0,
        null,
        java.time.Instant.EPOCH,
        "candidate",
        baseModel,
        baseRevision,
        space.digest(),
        null,
        entries,
        space.encoderRef());
  }

  Router router(List<Manifest.Entry> entries) {
    return new Router(manifest(entries), space, form);
  }

  /** Without memory, and without looking for one. */
  Question baseline(Example example) {
    return new Question(
        example,
        Memory.BASELINE,
        plain.messages(example.messages(), List.of(), List.of()),
        null,
        false,
        similarity(example),
        0);
  }

  /** A routed question and the cluster whose memory it got; null when none fired. */
  record Routed(Question question, @Nullable ClusterId cluster) {}

  /** As serving would ask it; finding the memory is booked whether one fires or not. */
  Routed routed(Example example, Router router, String arm) {
    Route route = router.route(example.messages(), example.tenant());
    Manifest.AdapterRef adapter = route.adapter();
    return new Routed(
        new Question(
            example,
            arm,
            route.messages(),
            adapter == null ? null : adapter.name(),
            route.fired(),
            similarity(example),
            retrievalMicros),
        route.fired() ? route.clusterId() : null);
  }

  /** The level that the log names, or S1 for a problem that was learnt from, word for word. */
  private @Nullable String similarity(Example example) {
    String tagged = example.tags().get("similarity");
    if (tagged != null) {
      return tagged;
    }
    return learntTexts.contains(example.problem().strip()) ? "S1" : null;
  }
}
