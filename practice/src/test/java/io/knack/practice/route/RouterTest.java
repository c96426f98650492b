package io.knack.practice.route;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import io.knack.contracts.Interaction;
import io.knack.contracts.Manifest;
import io.knack.contracts.Manifest.AdapterRef;
import io.knack.contracts.Manifest.Entry;
import io.knack.contracts.Manifest.EpisodeText;
import io.knack.contracts.Manifest.RuleText;
import io.knack.contracts.Manifest.Trigger;
import io.knack.contracts.Message;
import io.knack.contracts.SparseVector;
import io.knack.contracts.cli.KnackCli;
import io.knack.contracts.id.ClusterId;
import io.knack.contracts.id.EpisodeId;
import io.knack.contracts.id.RuleId;
import io.knack.contracts.id.TenantId;
import io.knack.contracts.stage.ContractException;
import io.knack.contracts.store.Jsons;
import io.knack.practice.RouteCommand;
import io.knack.practice.features.FeatureSpace;
import io.knack.practice.features.HashedSpace;
import io.knack.practice.prompt.PromptForm;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class RouterTest {
  private static final TenantId ACME = new TenantId("acme");
  private static final TenantId OTHER = new TenantId("other");

  /** A word is a feature. */
  private static final FeatureSpace WORDS =
      new FeatureSpace() {
        @Override
        public SparseVector vector(String text) {
          TreeMap<Integer, Float> counts = new TreeMap<>();
          for (String word : text.split(" ", -1)) {
            counts.merge(Math.floorMod(word.hashCode(), 1 << 20), 1f, Float::sum);
          }
          double norm = Math.sqrt(counts.values().stream().mapToDouble(v -> v * v).sum());
          counts.replaceAll((k, v) -> (float) (v / norm));
          return new SparseVector(List.copyOf(counts.keySet()), List.copyOf(counts.values()));
        }

        @Override
        public double similarity(SparseVector a, SparseVector b) {
          double dot = 0;
          for (int i = 0; i < a.indices().size(); i++) {
            int at = b.indices().indexOf(a.indices().get(i));
            dot += at < 0 ? 0 : a.values().get(i) * b.values().get(at);
          }
          return Math.max(0, Math.min(1, dot));
        }

        @Override
        public String digest() {
          return "words";
        }
      };

  private static Entry entry(
      String id, String text, @Nullable String tenant, double floor, double margin) {
    return new Entry(
        new ClusterId(id),
        tenant == null ? null : new TenantId(tenant),
        "adapter_rules",
        new AdapterRef(id + "-v1", "adapters/" + id, "d"),
        List.of(new RuleText(new RuleId("r-" + id), "", "know " + id)),
        List.of(),
        new Trigger(floor, margin, WORDS.vector(text), List.of()),
        1);
  }

  private static Manifest manifest(Entry... entries) {
    return new Manifest(
        3, 2L, Instant.EPOCH, "test", "base", null, "words", "features.json", List.of(entries));
  }

  private static Route route(Manifest manifest, String problem, TenantId tenant) {
    return new Router(manifest, WORDS, PromptForm.SHORT)
        .route(List.of(Message.user(problem)), tenant);
  }

  @Test
  void firesWithinFloorAndMargin() {
    Manifest manifest =
        manifest(
            entry("mugs", "price of three mugs", null, 0.7, 0.2),
            entry("boats", "speed of a boat", null, 0.7, 0.2));
    Route exact = route(manifest, "price of three mugs", ACME);
    assertThat(exact.fired()).isTrue();
    assertThat(exact.memory()).isEqualTo("adapter_rules");
    assertThat(exact.similarity()).isEqualTo(1, org.assertj.core.data.Offset.offset(1e-6));
    assertThat(exact.adapter()).isNotNull();
    assertThat(exact.messages().get(0).content())
        .isEqualTo("rule: know mugs\nQ: price of three mugs\n");

    Route unlike = route(manifest, "colour of the sea", ACME);
    assertThat(unlike.fired()).isFalse();
    assertThat(unlike.memory()).isEqualTo("baseline");
    assertThat(unlike.adapter()).isNull();
    assertThat(unlike.clusterId()).isNotNull();
    assertThat(unlike.messages().get(0).content()).isEqualTo("Q: colour of the sea\n");

    Route nothing = route(manifest, "zzz", ACME);
    assertThat(nothing.clusterId()).isNull();
    assertThat(nothing.similarity()).isZero();
  }

  @Test
  void aTwinWithinTheMarginSilencesTheMemory() {
    Manifest twins =
        manifest(
            entry("a", "price of three mugs at Oak", null, 0.5, 0.15),
            entry("b", "price of three mugs at Elm", null, 0.5, 0.15));
    assertThat(route(twins, "price of three mugs at Oak", ACME).fired()).isTrue();
    Route torn = route(twins, "price of three mugs at Ash", ACME);
    assertThat(torn.similarity()).isGreaterThan(0.5);
    assertThat(torn.similarity() - torn.runnerUp()).isLessThan(0.15);
    assertThat(torn.fired()).isFalse();
  }

  @Test
  void tenantsSeeTheirOwnAndTheSharedOnly() {
    Manifest manifest =
        manifest(
            entry("mugs", "price of three mugs", null, 0.5, 0.0),
            entry("mugs", "price of three mugs please", "acme", 0.5, 0.0),
            entry("secret", "boats of acme", "acme", 0.5, 0.0));
    Route own = route(manifest, "price of three mugs", ACME);
    assertThat(own.similarity()).isLessThan(0.99);
    Route shared = route(manifest, "price of three mugs", OTHER);
    assertThat(shared.similarity()).isGreaterThan(0.99);
    Route foreign = route(manifest, "boats of acme", OTHER);
    assertThat(foreign.fired()).isFalse();
    assertThat(String.valueOf(foreign.clusterId())).isNotEqualTo("secret");
    assertThat(route(manifest, "boats of acme", ACME).fired()).isTrue();
    assertThat(route(manifest, "boats of acme", Interaction.NO_TENANT).fired()).isFalse();
  }

  @Test
  void theNearestEpisodesEnterNearestLast() {
    List<EpisodeText> episodes = new ArrayList<>();
    for (String text : List.of("red blue green", "price of mugs", "price of three", "sea")) {
      episodes.add(new EpisodeText(new EpisodeId(text), text, "A: " + text, WORDS.vector(text)));
    }
    assertThat(Router.nearest(WORDS.vector("price of three mugs"), episodes, WORDS, 2))
        .extracting(EpisodeText::problem)
        .containsExactly("price of three", "price of mugs");
  }

  @Test
  void anotherFeatureSpaceIsRefused() {
    Manifest manifest =
        new Manifest(
            1,
            null,
            Instant.EPOCH,
            "",
            "base",
            null,
            "elsewhere",
            null,
            List.of(entry("a", "x", null, 0, 0)));
    assertThatThrownBy(() -> new Router(manifest, WORDS, PromptForm.SHORT))
        .isInstanceOf(ContractException.class)
        .hasMessageContaining("made in feature space elsewhere, the one at hand is words");
  }

  @Test
  void theIndexGivesTheDotProducts() {
    Random random = new Random(7);
    List<SparseVector> centroids = new ArrayList<>();
    for (int c = 0; c < 200; c++) {
      StringBuilder text = new StringBuilder();
      for (int w = 0; w < 8; w++) {
        text.append(" w").append(random.nextInt(300));
      }
      centroids.add(WORDS.vector(text.toString()));
    }
    centroids.add(SparseVector.EMPTY);
    CentroidIndex index = new CentroidIndex(centroids);
    for (int q = 0; q < 50; q++) {
      SparseVector vector = centroids.get(q * 4);
      double[] found = index.similarities(vector);
      for (int c = 0; c < centroids.size(); c++) {
        assertThat(found[c])
            .isEqualTo(
                WORDS.similarity(vector, centroids.get(c)),
                org.assertj.core.data.Offset.offset(1e-6));
      }
    }
  }

  @Test
  void aNameSaysMoreThanLikeness() {
    Manifest manifest =
        manifest(
            entry("mugs", "price of three mugs", null, 0.5, 0.2),
            named(entry("coral", "price of three mugs at Coral Quarry", null, 0.2, 0)),
            named(entry("twin", "price of old mugs at Coral Quarry", null, 0.2, 0)));
    Route other = route(manifest, "price of three mugs at Amber Dune", ACME);
    assertThat(other.clusterId()).isEqualTo(new ClusterId("mugs"));
    assertThat(route(manifest, "price of three mugs at Coral Dune", ACME).clusterId())
        .isEqualTo(new ClusterId("mugs"));
    Route own = route(manifest, "at CORAL QUARRY, three mugs!", ACME);
    assertThat(own.clusterId()).isEqualTo(new ClusterId("coral"));
    assertThat(own.fired()).isTrue();
    assertThat(route(manifest, "wait here coral quarry", ACME).fired()).isFalse();
  }

  private static Entry named(Entry entry) {
    return new Entry(
        entry.clusterId(),
        entry.tenant(),
        entry.memory(),
        entry.adapter(),
        entry.rules(),
        entry.episodes(),
        new Trigger(
            entry.trigger().floor(),
            entry.trigger().margin(),
            entry.trigger().centroid(),
            List.of("coral", "quarry")),
        1);
  }

  @Test
  void theVerbReadsTheLiveManifest(@TempDir Path home) throws Exception {
    assertThat(run("--home", home.toString(), "--prompt", "hi", "--json"))
        .contains("\"memory\":\"baseline\"")
        .contains("\"fired\":false")
        .contains("\"manifest\":null")
        .contains("\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}]");
    Path manifests = Files.createDirectories(home.resolve("serving/manifests"));
    Manifest empty =
        new Manifest(12, null, Instant.EPOCH, "", "base", null, "words", null, List.of());
    Files.writeString(manifests.resolve("v000012.json"), Jsons.mapper().writeValueAsString(empty));
    Files.writeString(manifests.resolve("v000009.json"), "older and not read");
    Files.writeString(manifests.resolve(".v000013.json.tmp"), "half written");
    assertThat(run("--home", home.toString(), "--prompt", "hi", "--json"))
        .contains("\"manifest\":12");
    assertThat(run("--home", home.toString(), "--prompt", "hi", "--manifest", "9"))
        .contains("65")
        .contains("is damaged");
    assertThat(run("--home", home.toString(), "--prompt", "hi", "--manifest", "4"))
        .contains("65")
        .contains("there is no manifest 4");
  }

  @Test
  void theVerbRoutesByTenantThroughTheManifestsOwnSpace(@TempDir Path home) throws Exception {
    List<String> known =
        List.of(
            "At Coral Quarry: Ana buys 4 mugs at 7 each. Coral Quarry shipping applies. Total?",
            "At Coral Quarry: Ben buys 3 hats at 5 each. Coral Quarry shipping applies. Total?",
            "At Amber Dune: Ana buys 4 mugs at 7 each. Amber Dune wrapping applies. Total?",
            "At Amber Dune: Cleo buys 6 rugs at 9 each. Amber Dune wrapping applies. Total?",
            "When does the museum open on Sundays in winter?",
            "Which tram goes from the harbour to the old town?");
    HashedSpace space = HashedSpace.fit(known, 1);
    Path serving = Files.createDirectories(home.resolve("serving"));
    space.save(serving.resolve("space.bin"));
    Path manifests = Files.createDirectories(serving.resolve("manifests"));
    List<Entry> entries =
        List.of(
            entry("coral", "acme", known.get(0), space),
            entry("amber", null, known.get(2), space),
            entry("museum", "other", known.get(4), space));
    Manifest manifest =
        new Manifest(
            1, null, Instant.EPOCH, "", "base", null, space.digest(), "space.bin", entries);
    Files.writeString(
        manifests.resolve("v000001.json"), Jsons.mapper().writeValueAsString(manifest));

    JsonNode own = routed(home, known.get(1), "acme");
    assertThat(own.path("cluster_id").asText()).isEqualTo("coral");
    assertThat(own.path("fired").asBoolean()).isTrue();
    assertThat(own.path("memory").asText()).isEqualTo("adapter_rules");
    assertThat(own.path("adapter").asText()).isEqualTo("coral-v1");
    assertThat(own.path("similarity").asDouble()).isBetween(0.5, 1.0);
    assertThat(own.path("messages").get(0).path("role").asText()).isEqualTo("system");
    assertThat(own.path("messages").get(0).path("content").asText()).contains("know coral");
    assertThat(own.path("messages").get(1).path("content").asText()).isEqualTo(known.get(1));

    // The same words from another tenant, or from nobody: nothing of acme's shows.
    for (String tenant : List.of("other", "")) {
      JsonNode foreign = routed(home, known.get(1), tenant);
      assertThat(foreign.path("fired").asBoolean()).isFalse();
      assertThat(foreign.path("memory").asText()).isEqualTo("baseline");
      assertThat(foreign.path("adapter").isNull()).isTrue();
      assertThat(foreign.toString()).doesNotContain("coral-v1", "know coral", "\"coral\"");
      assertThat(foreign.path("messages")).hasSize(1);
    }
    // What is shared serves everybody; what is unlike fires for nobody.
    for (String tenant : List.of("acme", "other", "")) {
      assertThat(routed(home, known.get(3), tenant).path("cluster_id").asText()).isEqualTo("amber");
      assertThat(routed(home, known.get(3), tenant).path("fired").asBoolean()).isTrue();
      assertThat(routed(home, known.get(5), tenant).path("fired").asBoolean()).isFalse();
    }
    // A memory of a manifest whose space is gone cannot be compared.
    Files.delete(serving.resolve("space.bin"));
    assertThat(run("--home", home.toString(), "--prompt", "hi")).contains("65").contains("space");
  }

  private static Entry entry(
      String id, @Nullable String tenant, String problem, FeatureSpace space) {
    Entry words = entry(id, problem, tenant, 0.6, 0.1);
    return new Entry(
        words.clusterId(),
        words.tenant(),
        words.memory(),
        words.adapter(),
        words.rules(),
        List.of(),
        new Trigger(0.6, 0.1, space.vector(problem), List.of()),
        1);
  }

  private static JsonNode routed(Path home, String prompt, String tenant) throws Exception {
    List<String> words =
        new ArrayList<>(List.of("--home", home.toString(), "--prompt", prompt, "--json"));
    if (!tenant.isEmpty()) {
      words.addAll(List.of("--tenant", tenant));
    }
    String said = run(words.toArray(String[]::new));
    assertThat(said).startsWith("0 ");
    return Jsons.mapper().readTree(said.substring(2));
  }

  private static String run(String... arguments) {
    StringWriter text = new StringWriter();
    CommandLine line = KnackCli.commandLine(new CommandLine(new RouteCommand()));
    line.setOut(new PrintWriter(text, true)).setErr(new PrintWriter(text, true));
    int code = line.execute(arguments);
    return code + " " + text;
  }
}
