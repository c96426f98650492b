package io.knack.contracts.erasure;

import io.knack.contracts.AdapterCard;
import io.knack.contracts.Attempt;
import io.knack.contracts.Cluster;
import io.knack.contracts.ClusterMember;
import io.knack.contracts.Episode;
import io.knack.contracts.Evidence;
import io.knack.contracts.Example;
import io.knack.contracts.Fixtures;
import io.knack.contracts.Interaction;
import io.knack.contracts.Manifest;
import io.knack.contracts.Message;
import io.knack.contracts.Outcome;
import io.knack.contracts.Rule;
import io.knack.contracts.RuleEvent;
import io.knack.contracts.RuleSet;
import io.knack.contracts.SparseVector;
import io.knack.contracts.Split;
import io.knack.contracts.Trial;
import io.knack.contracts.id.ClusterId;
import io.knack.contracts.id.EpisodeId;
import io.knack.contracts.id.ExampleId;
import io.knack.contracts.id.FamilyId;
import io.knack.contracts.id.InteractionId;
import io.knack.contracts.id.RuleId;
import io.knack.contracts.id.RunId;
import io.knack.contracts.id.SubjectId;
import io.knack.contracts.store.Artifact;
import io.knack.contracts.store.ArtifactCard;
import io.knack.contracts.store.ArtifactKind;
import io.knack.contracts.store.ArtifactRef;
import io.knack.contracts.store.ArtifactStore;
import io.knack.contracts.store.Jsons;
import io.knack.contracts.store.Salt;
import io.knack.contracts.table.Tables;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A workspace after one night: Alice and Bob asked, an adapter and a rule learnt from each of them,
 * and all of it is live.
 */
public final class SmallWorkspace {
  public static final String ALICE = "alice@example.org";
  public static final String ALICES = "Alice's own question about 7 apples";
  public static final String BOBS = "How much are two pears?";

  private static final Instant TIME = Instant.parse("2026-03-04T05:06:07Z");

  private SmallWorkspace() {}

  public static Path create(Path home) throws IOException {
    ArtifactStore store = ArtifactStore.open(home);
    SubjectId alice = new SubjectId(Salt.of(home).hash(ALICE));
    SubjectId bob = new SubjectId(Salt.of(home).hash("bob"));
    Path staged = store.stage(ArtifactKind.INTERACTIONS, new RunId("night"));
    Tables.INTERACTIONS.write(
        staged.resolve("interactions/day=2026-03-04/part.parquet"),
        List.of(interaction("i-1", alice, ALICES), interaction("i-2", bob, BOBS)));
    Files.writeString(
        staged.resolve("interactions/day=2026-03-04/.part.parquet.crc"), "of the old file");
    Artifact first = commit(store, staged, ArtifactKind.INTERACTIONS, "import", List.of());
    staged = store.stage(ArtifactKind.INTERACTIONS, new RunId("night"));
    Tables.INTERACTIONS.writeInto(
        staged, List.of(interaction("i-11", alice, ALICES), interaction("i-3", null, BOBS)));
    Artifact second = commit(store, staged, ArtifactKind.INTERACTIONS, "import", List.of());

    staged = store.stage(ArtifactKind.CLUSTERS, new RunId("night"));
    Tables.CLUSTERS.writeInto(staged, List.of(cluster("k-1"), cluster("k-2")));
    Tables.MEMBERS.write(
        staged.resolve("members/settled/00000/part.parquet"),
        List.of(member("i-1", "k-1"), Fixtures.MEMBERS.get(1)));
    Tables.MEMBERS.write(
        staged.resolve("members/open/part.parquet"), List.of(member("i-11", null)));
    Tables.CLUSTERS.write(staged.resolve("states.parquet"), List.of(cluster("k-1")));
    Files.writeString(staged.resolve("map.html"), "<p>" + ALICES + "</p>");
    Files.writeString(staged.resolve("state.json"), "{}");
    Artifact clusters =
        commit(store, staged, ArtifactKind.CLUSTERS, "mine", List.of(first.ref(), second.ref()));

    staged = store.stage(ArtifactKind.CURRICULUM, new RunId("night"));
    Tables.EXAMPLES.writeInto(
        staged,
        List.of(
            example("e-1", "k-1", "i-1", alice, ALICES), example("e-2", "k-2", "i-2", bob, BOBS)));
    Tables.EVIDENCE.writeInto(staged, List.of(evidence("e-1"), evidence("e-2")));
    Artifact curriculum =
        commit(
            store,
            staged,
            ArtifactKind.CURRICULUM,
            "curate",
            List.of(first.ref(), second.ref(), clusters.ref()));

    staged = store.stage(ArtifactKind.ADAPTERS, new RunId("night"));
    adapter(staged.resolve("k-1"), "k-1");
    adapter(staged.resolve("k-2"), "k-2");
    Artifact adapters =
        commit(store, staged, ArtifactKind.ADAPTERS, "train", List.of(curriculum.ref()));

    Rule alices = rule("r-1", "k-1", ALICES, List.of("e-1"));
    Rule both = rule("r-2", "k-2", "prices", List.of("e-1", "e-2"));
    staged = store.stage(ArtifactKind.RULES, new RunId("night"));
    write(staged.resolve("rules.json"), new RuleSet(List.of(alices, both)));
    Files.writeString(
        staged.resolve("ledger.jsonl"), event(1, alices) + "\n" + event(2, both) + "\n");
    Files.writeString(
        staged.resolve("RULES.md"),
        "# Rules\n[r-1] helpful=1 :: " + ALICES + "\n[r-2] helpful=1 :: prices\n");
    Artifact rules =
        commit(store, staged, ArtifactKind.RULES, "reflect", List.of(curriculum.ref()));

    staged = store.stage(ArtifactKind.EPISODES, new RunId("night"));
    Tables.EPISODES.writeInto(
        staged,
        List.of(
            new Episode(
                new EpisodeId("p-1"),
                new ExampleId("e-1"),
                alice,
                null,
                new ClusterId("k-1"),
                ALICES,
                "7",
                4,
                SparseVector.EMPTY,
                "space")));
    Artifact episodes =
        commit(store, staged, ArtifactKind.EPISODES, "remember", List.of(curriculum.ref()));

    Manifest manifest = manifest(adapters);
    staged = store.stage(ArtifactKind.EVALUATION, new RunId("night"));
    Tables.TRIALS.writeInto(staged, List.of(trial("e-1", "k-1"), trial("e-2", "k-2")));
    Files.writeString(
        staged.resolve("report.json"),
        """
        {"verdict":{"decision":"promote","rule":"cheaper at equal accuracy"},
         "entries":[{"cluster_id":"k-1","title":"%s","memory":"adapter"},
                    {"cluster_id":"k-2","title":"prices","memory":"adapter","expected_saving":3.5,
                     "verdict":{"decision":"promote","rule":"saves"}}],
         "examples":[{"example":"e-1","problem":"%s"}]}
        """
            .formatted(ALICES, ALICES));
    Files.writeString(staged.resolve("report.html"), "<p>" + ALICES + "</p>");
    write(staged.resolve("manifest.json"), manifest);
    Artifact evaluation =
        commit(
            store,
            staged,
            ArtifactKind.EVALUATION,
            "evaluate",
            List.of(curriculum.ref(), adapters.ref(), rules.ref(), episodes.ref(), clusters.ref()));

    Path serving = home.resolve("serving");
    write(
        serving.resolve("manifests/v000001.json"),
        new Manifest(
            1,
            null,
            TIME,
            "cheaper (" + evaluation.ref() + ")",
            "base",
            null,
            "space",
            null,
            manifest.entries()));
    for (Manifest.Entry entry : manifest.entries()) {
      Manifest.AdapterRef ref = entry.adapter();
      if (ref != null) {
        adapter(serving.resolve(ref.path()), entry.clusterId().value());
      }
    }
    write(home.resolve("cache/reflect/draft.txt"), ALICES);
    write(home.resolve("runs/night/mine.log"), ALICES);
    return home;
  }

  private static Manifest manifest(Artifact adapters) {
    return new Manifest(
        0,
        null,
        TIME,
        "candidate",
        "base",
        null,
        "space",
        null,
        List.of(
            entry(
                "k-1",
                adapters,
                List.of(
                    new Manifest.EpisodeText(
                        new EpisodeId("p-1"), ALICES, "7", SparseVector.EMPTY))),
            entry("k-2", adapters, List.of())));
  }

  private static Manifest.Entry entry(
      String cluster, Artifact adapters, List<Manifest.EpisodeText> episodes) {
    String digest = AdapterCard.weightsDigest(adapters.file(cluster));
    String name = cluster + "-" + digest.substring(0, 12);
    return new Manifest.Entry(
        new ClusterId(cluster),
        null,
        "adapter",
        new Manifest.AdapterRef(name, "adapters/" + name, digest),
        List.of(),
        episodes,
        new Manifest.Trigger(0.5, 0.1, SparseVector.EMPTY, List.of()),
        3.5);
  }

  private static Interaction interaction(String id, @Nullable SubjectId subject, String text) {
    return new Interaction(
        new InteractionId(id),
        TIME,
        Interaction.NO_TENANT,
        subject,
        null,
        List.of(Message.user(text)),
        null,
        "7",
        null,
        List.of(),
        Outcome.VERIFIED,
        null,
        null,
        io.knack.contracts.Budget.ZERO,
        null,
        null,
        null,
        null,
        Map.of());
  }

  private static Cluster cluster(String id) {
    Cluster c = Fixtures.CLUSTERS.get(0);
    return new Cluster(
        new ClusterId(id),
        c.familyId(),
        c.event(),
        c.parents(),
        null,
        c.size(),
        c.firstDay(),
        c.lastDay(),
        c.days(),
        c.subjects(),
        List.of(),
        true,
        c.cohesion(),
        c.passRate(),
        c.meanCompletionTokens(),
        c.meanAttempts(),
        c.trend(),
        c.expectedSavingPerMonth(),
        c.centroid(),
        c.featureSpaceDigest(),
        List.of(ALICES, BOBS),
        c.terms());
  }

  private static ClusterMember member(String interaction, @Nullable String cluster) {
    return new ClusterMember(
        new InteractionId(interaction),
        cluster == null ? null : new ClusterId(cluster),
        new FamilyId("f-1"),
        0.5);
  }

  private static Example example(
      String id, String cluster, String interaction, SubjectId subject, String text) {
    Example e = Fixtures.EXAMPLES.get(0);
    return new Example(
        new ExampleId(id),
        new ClusterId(cluster),
        List.of(new InteractionId(interaction)),
        TIME,
        null,
        Interaction.NO_TENANT,
        subject,
        Map.of(),
        List.of(Message.user(text)),
        "7",
        "7",
        e.verifier(),
        1,
        1,
        Split.TRAIN);
  }

  private static Evidence evidence(String example) {
    return new Evidence(
        new ExampleId(example),
        List.of(new Attempt("best_of_n", "7", 1, 0, 1, 1.0, Outcome.VERIFIED)));
  }

  private static Rule rule(String id, String cluster, String then, List<String> evidence) {
    return new Rule(
        new RuleId(id),
        new ClusterId(cluster),
        null,
        "reflect",
        "asked",
        then,
        "",
        evidence.stream().map(ExampleId::new).toList(),
        1,
        0,
        2,
        5,
        TIME,
        null);
  }

  private static String event(long sequence, Rule rule) throws IOException {
    return Jsons.mapper()
        .writeValueAsString(
            new RuleEvent(
                sequence,
                new RunId("night"),
                TIME,
                RuleEvent.Kind.ADDED,
                rule.id(),
                rule,
                null,
                rule.evidence(),
                "learnt"));
  }

  private static Trial trial(String example, String cluster) {
    Trial t = Fixtures.TRIALS.get(0);
    return new Trial(
        new ExampleId(example),
        new ClusterId(cluster),
        t.tenant(),
        t.tags(),
        t.arm(),
        t.method(),
        t.seed(),
        t.similarity(),
        t.fired(),
        t.passed(),
        t.score(),
        t.fault(),
        t.budget());
  }

  private static void adapter(Path directory, String cluster) throws IOException {
    write(directory.resolve("adapter_config.json"), Map.of("r", 4));
    write(directory.resolve("adapter_model.safetensors"), "weights of " + cluster);
    write(
        directory.resolve(AdapterCard.FILE),
        new AdapterCard(cluster, new ClusterId(cluster), null, "base", null, 1, 2, 3));
  }

  private static void write(Path file, Object content) throws IOException {
    Files.createDirectories(file.getParent());
    Files.writeString(
        file, content instanceof String text ? text : Jsons.mapper().writeValueAsString(content));
  }

  private static Artifact commit(
      ArtifactStore store,
      Path staged,
      ArtifactKind kind,
      String producer,
      List<ArtifactRef> inputs) {
    return store.commit(
        staged,
        new ArtifactCard(
            kind,
            1,
            producer,
            "0.1.0",
            new RunId("night"),
            TIME,
            "plan-of-" + producer,
            "{}",
            inputs,
            List.of(),
            "",
            0,
            List.of(),
            new TreeMap<>(),
            Map.of(),
            null));
  }
}
