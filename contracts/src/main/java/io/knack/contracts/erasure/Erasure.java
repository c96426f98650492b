package io.knack.contracts.erasure;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.knack.contracts.Manifest;
import io.knack.contracts.erasure.ErasedSubjects.Entry;
import io.knack.contracts.id.ClusterId;
import io.knack.contracts.id.SubjectId;
import io.knack.contracts.stage.ContractException;
import io.knack.contracts.stage.LeaseHolder;
import io.knack.contracts.stage.PlanException;
import io.knack.contracts.stage.StageLock;
import io.knack.contracts.stage.TemporaryException;
import io.knack.contracts.store.Artifact;
import io.knack.contracts.store.ArtifactKind;
import io.knack.contracts.store.ArtifactStore;
import io.knack.contracts.store.DurableFiles;
import io.knack.contracts.store.Jsons;
import io.knack.contracts.store.Salt;
import io.knack.contracts.store.ServingManifests;
import io.knack.contracts.table.RowEdit;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Erases one person from a workspace.
 *
 * <p>What was made last goes first: serving, then evaluations, episodes, rules, adapters, clusters,
 * the curriculum, and the interactions at the end. So what is still to be done can be found at any
 * moment from what is still there, and an erasure that was killed is completed by running it again;
 * the receipt is put together from what the replaced artifacts and manifests say of it.
 */
public final class Erasure {
  /** Every stage and writer that would be in the way, in the order of their names. */
  private static final List<String> STAGES =
      List.of(
          "curate",
          "evaluate",
          "forget",
          "import",
          "mine",
          "promote",
          "reflect",
          "remember",
          "train");

  private static final ObjectMapper JSON = Jsons.mapper();
  private static final DateTimeFormatter ID =
      DateTimeFormatter.ofPattern("yyyyMMdd'T'HHmmss'Z'").withZone(ZoneOffset.UTC);

  private final Path home;
  private final Clock clock;
  private final ArtifactStore store;
  private final Runnable beforeEachStep;

  public Erasure(Path home, Clock clock) {
    this(home, clock, () -> {});
  }

  /** As the public one, with a hook that tests use to kill it before any step. */
  Erasure(Path home, Clock clock, Runnable beforeEachStep) {
    this.home = home.toAbsolutePath().normalize();
    this.clock = clock;
    this.store = ArtifactStore.open(home, beforeEachStep);
    this.beforeEachStep = beforeEachStep;
  }

  /**
   * Erases, or completes an erasure that was cut off.
   *
   * @param id as it stands in the logs, or the salted hash
   * @throws TemporaryException while a stage or a night is at work
   */
  public Receipt forget(String id) {
    if (id.isBlank()) {
      throw new PlanException("--subject is empty: name the person as the logs do");
    }
    if (!Files.isDirectory(home.resolve("artifacts"))) {
      throw new PlanException("no workspace in " + home + ": it has no artifacts");
    }
    List<StageLock> locks = new ArrayList<>();
    try {
      STAGES.forEach(stage -> locks.add(StageLock.take(home, stage)));
      refuseNight();
      return erase(id);
    } catch (IOException e) {
      throw new TemporaryException(
          "the erasure is not complete (" + e.getMessage() + "); run it again", e);
    } finally {
      Collections.reverse(locks);
      locks.forEach(StageLock::close);
    }
  }

  private Receipt erase(String id) throws IOException {
    ErasedSubjects known = ErasedSubjects.read(home);
    Traces traces = find(id, known);
    SubjectId subject = traces.subject();
    Optional<Entry> before = known.of(subject);
    if (traces.isEmpty() && before.filter(Entry::complete).isPresent()) {
      String earlier = before.get().receipt();
      return Receipt.ofNothing(
          earlier,
          now(),
          Receipt.wasOfNothing(home, earlier) ? Receipt.NOT_FOUND : Receipt.NOTHING_LEFT);
    }
    String receipt =
        before
            .filter(entry -> !entry.complete())
            .map(Entry::receipt)
            .orElseGet(
                () ->
                    ID.format(clock.instant())
                        + "-"
                        + UUID.randomUUID().toString().substring(0, 8));
    if (traces.isEmpty() && before.isEmpty()) {
      Receipt nothing = Receipt.ofNothing(receipt, now(), Receipt.NOT_FOUND);
      step();
      nothing.write(home);
      step();
      // Who asks to be forgotten before any log of them came is left out when it comes.
      known.with(new Entry(subject, receipt, true)).write(home);
      return nothing;
    }
    step();
    known.with(new Entry(subject, receipt, false)).write(home);
    long files = store.sweep(receipt, now());
    queue(traces, receipt);
    ServingErasure serving = new ServingErasure(home, traces, receipt, beforeEachStep);
    serving.run(now());
    files += removeFiles();
    evaluations(traces, serving, receipt);
    tables(ArtifactKind.EPISODES, receipt, artifact -> path -> episodes(traces));
    rules(traces, receipt);
    adapters(traces, receipt);
    tables(
        ArtifactKind.CLUSTERS,
        receipt,
        artifact -> {
          RowEdit edit = clusters(traces, traces.nearlyAlone(artifact));
          return path -> edit;
        });
    tables(ArtifactKind.CURRICULUM, receipt, artifact -> path -> curriculum(traces, path));
    tables(ArtifactKind.INTERACTIONS, receipt, artifact -> path -> interactions(traces));
    Receipt written = receipt(receipt, files);
    step();
    written.write(home);
    step();
    ErasedSubjects.read(home).with(new Entry(subject, receipt, true)).write(home);
    return written;
  }

  /** By the name in the logs; where nobody has that, by the hash itself. */
  private Traces find(String id, ErasedSubjects known) {
    SubjectId named = new SubjectId(Salt.of(home).hash(id));
    Traces traces = Traces.of(store, named);
    if (!traces.isEmpty() || known.of(named).isPresent() || !id.matches("[\\x21-\\x7e]{1,256}")) {
      return traces;
    }
    SubjectId asHash = new SubjectId(id);
    Traces byHash = Traces.of(store, asHash);
    return !byHash.isEmpty() || known.of(asHash).isPresent() ? byHash : traces;
  }

  // ---- what goes from which artifact

  private void tables(
      ArtifactKind kind, String receipt, Function<Artifact, Function<Path, @Nullable RowEdit>> by) {
    for (Artifact artifact : store.chain(kind)) {
      Replacement replacement = new Replacement(artifact);
      replacement.rows("own_rows", "texts", by.apply(artifact));
      replacement.dropIfChanged("map.html");
      replacement.commit(store, receipt, now());
    }
  }

  private static RowEdit interactions(Traces traces) {
    return row -> !traces.subject().value().equals(row.text("subject"));
  }

  private static @Nullable RowEdit curriculum(Traces traces, Path file) {
    String table = file.getName(0).toString();
    if (table.startsWith("evidence")) {
      return row -> !traces.examples().contains(String.valueOf(row.text("example_id")));
    }
    if (!table.startsWith("examples")) {
      return null;
    }
    return new RowEdit() {
      @Override
      public boolean keeps(Row row) {
        return !traces.isErased(row.text("subject"), row.texts("source_interaction_ids"));
      }

      @Override
      public Set<String> lists() {
        return Set.of("source_interaction_ids");
      }

      @Override
      public boolean keepsElement(Row row, String column, String element) {
        return !traces.interactions().contains(element);
      }
    };
  }

  private static RowEdit episodes(Traces traces) {
    return row -> !traces.episodes().contains(String.valueOf(row.text("id")));
  }

  /** Members, and what mining keeps for itself: rows by interaction, texts by what they say. */
  private static RowEdit clusters(Traces traces, Set<String> nearlyAlone) {
    return new RowEdit() {
      @Override
      public boolean keeps(Row row) {
        String interaction = row.text("interaction_id");
        if (interaction != null) {
          return !traces.interactions().contains(interaction)
              && !traces.subject().value().equals(row.text("subject"));
        }
        String text = row.text("text");
        return text == null || !traces.texts().contains(text);
      }

      @Override
      public Set<String> lists() {
        return Set.of("exemplars", "terms");
      }

      @Override
      public boolean keepsElement(Row row, String column, String element) {
        return column.equals("exemplars")
            ? !traces.texts().contains(element)
            : !nearlyAlone.contains(String.valueOf(row.text("cluster_id")));
      }
    };
  }

  private void rules(Traces traces, String receipt) {
    List<Artifact> chain = store.chain(ArtifactKind.RULES);
    RuleErasure erasure = new RuleErasure(traces);
    // The latest first: once the event stands that retires a rule, its words may go.
    for (int i = chain.size() - 1; i >= 0; i--) {
      Replacement replacement = new Replacement(chain.get(i));
      erasure.prepare(
          replacement,
          i == chain.size() - 1 ? RuleErasure.Standing.LATEST : RuleErasure.Standing.EARLIER,
          receipt,
          now());
      replacement.commit(store, receipt, now());
    }
  }

  private void adapters(Traces traces, String receipt) {
    for (Artifact artifact : store.chain(ArtifactKind.ADAPTERS)) {
      Replacement replacement = new Replacement(artifact);
      for (Path directory : Traces.adapterDirectories(artifact)) {
        if (traces.adapters().containsValue(directory)) {
          replacement.drop(artifact.directory().relativize(directory));
          replacement.count("adapters", 1);
        }
      }
      replacement.commit(store, receipt, now());
    }
  }

  private void evaluations(Traces traces, ServingErasure serving, String receipt)
      throws IOException {
    for (Artifact artifact : store.chain(ArtifactKind.EVALUATION)) {
      Replacement replacement = new Replacement(artifact);
      replacement.rows(
          "own_rows",
          "texts",
          path -> row -> !traces.examples().contains(String.valueOf(row.text("example"))));
      report(traces, replacement);
      Path candidate = artifact.file("manifest.json");
      if (Files.exists(candidate)) {
        Manifest manifest = ServingManifests.read(candidate);
        List<Manifest.Entry> kept = serving.kept(manifest);
        if (kept.size() < manifest.entries().size()) {
          replacement.count("candidate_entries", manifest.entries().size() - kept.size());
          replacement.text(
              "manifest.json",
              ServingErasure.json(
                  new Manifest(
                      manifest.number(),
                      manifest.previous(),
                      manifest.createdAt(),
                      manifest.reason(),
                      manifest.baseModel(),
                      manifest.baseRevision(),
                      manifest.featureSpaceDigest(),
                      manifest.featureSpace(),
                      kept,
                      manifest.encoder())));
        }
      }
      replacement.dropIfChanged("report.html");
      replacement.commit(store, receipt, now());
    }
  }

  private void report(Traces traces, Replacement replacement) throws IOException {
    Path file = replacement.old().file("report.json");
    if (!Files.exists(file)) {
      return;
    }
    JsonNode report;
    try {
      report = JSON.readTree(Files.readString(file));
    } catch (JsonProcessingException e) {
      throw new ContractException(file + " is not JSON: " + Jsons.words(e), e);
    }
    ArrayNode kept = JSON.createArrayNode();
    long gone = 0;
    for (JsonNode example : report.path("examples")) {
      if (traces.examples().contains(example.path("example").asText())) {
        gone++;
      } else {
        kept.add(example);
      }
    }
    long titles = 0;
    for (JsonNode entry : report.path("entries")) {
      if (traces.texts().contains(entry.path("title").asText())) {
        ((ObjectNode) entry).put("title", entry.path("cluster_id").asText());
        titles++;
      }
    }
    if (gone + titles > 0) {
      ((ObjectNode) report).set("examples", kept);
      replacement.text(
          "report.json", JSON.writerWithDefaultPrettyPrinter().writeValueAsString(report) + "\n");
      replacement.count("report_examples", gone);
      replacement.count("texts", titles);
    }
  }

  // ---- beside the artifacts

  private void queue(Traces traces, String receipt) throws IOException {
    List<RetrainQueue.Item> items = new ArrayList<>();
    traces
        .adapters()
        .forEach(
            (digest, directory) -> {
              String cluster = Traces.clusterOf(directory);
              String slug = cluster.replaceAll("[^A-Za-z0-9._-]", "-");
              items.add(
                  new RetrainQueue.Item(
                      new ClusterId(cluster),
                      slug.substring(0, Math.min(60, slug.length()))
                          + "-"
                          + digest.substring(0, 12),
                      receipt));
            });
    if (!items.isEmpty()) {
      step();
      RetrainQueue.read(home).with(items).write(home);
    }
  }

  /** Run logs, caches and copies of reports that wait for a tracking server: they may quote. */
  private long removeFiles() throws IOException {
    List<Path> found = new ArrayList<>();
    Path cache = home.resolve("cache");
    for (Path place : List.of(home.resolve("runs"), home.resolve("tracking"), cache)) {
      if (Files.isDirectory(place)) {
        try (Stream<Path> walk = Files.walk(place)) {
          walk.filter(Files::isRegularFile)
              .filter(
                  file ->
                      place.equals(cache) || kept(file) || quotes(file.getFileName().toString()))
              .forEach(found::add);
        }
      }
    }
    for (Path file : found) {
      step();
      Files.deleteIfExists(file);
    }
    DurableFiles.deleteTree(cache);
    return found.size();
  }

  /**
   * A copy that waits for a tracking server: a report, or an adapter that learnt. Cards of
   * artifacts wait there too, but hold nothing of a person: counts, digests, the plan.
   */
  private static boolean kept(Path file) {
    return String.valueOf(file.getParent()).endsWith(".files")
        && !file.getFileName().toString().endsWith("-" + ArtifactStore.CARD);
  }

  private static boolean quotes(String name) {
    return name.endsWith(".log") || name.endsWith("report.html") || name.endsWith("report.json");
  }

  private Receipt receipt(String receipt, long files) {
    TreeMap<String, Long> counts = new TreeMap<>();
    for (ArtifactKind kind : ArtifactKind.values()) {
      for (Artifact artifact : store.chain(kind)) {
        if (artifact.card().figures().get(Replacement.FIGURE) instanceof Map<?, ?> erasures
            && erasures.get(receipt) instanceof Map<?, ?> counted) {
          counts.merge("artifacts_replaced", 1L, Long::sum);
          counted.forEach(
              (what, number) ->
                  counts.merge(String.valueOf(what), ((Number) number).longValue(), Long::sum));
        }
      }
    }
    counts.put("files", files);
    Optional<Manifest> manifest = ServingErasure.manifestOf(home, receipt);
    List<RetrainQueue.Item> queued =
        RetrainQueue.read(home).queued().stream()
            .filter(item -> item.receipt().equals(receipt))
            .toList();
    return new Receipt(
        receipt,
        now(),
        Receipt.ERASED,
        counts,
        queued.stream().map(RetrainQueue.Item::adapter).toList(),
        queued.stream().map(item -> item.cluster().value()).distinct().toList(),
        manifest.map(Manifest::number).orElse(null));
  }

  private void refuseNight() throws IOException {
    Optional<LeaseHolder> night =
        LeaseHolder.read(home).filter(holder -> holder.alive(clock.instant()));
    if (night.isPresent()) {
      throw new TemporaryException(
          "a night is at work in " + home + " (" + night.get() + "); wait for its end");
    }
  }

  private Instant now() {
    return clock.instant().truncatedTo(ChronoUnit.MICROS);
  }

  private void step() {
    beforeEachStep.run();
  }
}
