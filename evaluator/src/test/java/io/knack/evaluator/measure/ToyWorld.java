package io.knack.evaluator.measure;

import io.knack.contracts.Cluster;
import io.knack.contracts.Episode;
import io.knack.contracts.Example;
import io.knack.contracts.Message;
import io.knack.contracts.SparseVector;
import io.knack.contracts.Split;
import io.knack.contracts.VerifierSpec;
import io.knack.contracts.id.ClusterId;
import io.knack.contracts.id.EpisodeId;
import io.knack.contracts.id.ExampleId;
import io.knack.contracts.id.FamilyId;
import io.knack.contracts.id.InteractionId;
import io.knack.contracts.id.RunId;
import io.knack.contracts.id.TenantId;
import io.knack.contracts.store.Artifact;
import io.knack.contracts.store.ArtifactCard;
import io.knack.contracts.store.ArtifactKind;
import io.knack.contracts.store.ArtifactStore;
import io.knack.contracts.table.Tables;
import io.knack.llm.Completion;
import io.knack.llm.FinishReason;
import io.knack.llm.GenerationListener;
import io.knack.llm.GenerationRequest;
import io.knack.llm.GenerationSession;
import io.knack.llm.LanguageModel;
import io.knack.llm.Prompt;
import io.knack.llm.Sample;
import io.knack.llm.TokenUsage;
import io.knack.practice.features.FeatureSpace;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.LocalDate;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Problems such as "the kiwi desk sells 7 things", one kind of fruit a cluster, whose answer the
 * model guesses in one of eight samples, and knows when an example of the same fruit stands in the
 * prompt.
 */
public final class ToyWorld {
  public static final List<String> FRUITS = List.of("kiwi", "plum", "fig");
  private static final TenantId TENANT = new TenantId("acme");

  private ToyWorld() {}

  /** Words, each its own dimension. */
  public static final FeatureSpace SPACE =
      new FeatureSpace() {
        @Override
        public SparseVector vector(String text) {
          TreeMap<Integer, Float> counts = new TreeMap<>();
          for (String word : words(text.toLowerCase(Locale.ROOT).replaceAll("[^a-z]+", " "))) {
            if (!word.isEmpty()) {
              counts.merge(Math.floorMod(word.hashCode(), 100_003), 1f, Float::sum);
            }
          }
          double norm = Math.sqrt(counts.values().stream().mapToDouble(v -> v * v).sum());
          return new SparseVector(
              List.copyOf(counts.keySet()),
              counts.values().stream().map(v -> (float) (v / norm)).toList());
        }

        @Override
        public double similarity(SparseVector a, SparseVector b) {
          double dot = 0;
          for (int i = 0; i < a.indices().size(); i++) {
            int j = b.indices().indexOf(a.indices().get(i));
            dot += j < 0 ? 0 : a.values().get(i) * b.values().get(j);
          }
          return Math.max(0, Math.min(1, dot));
        }

        @Override
        public String digest() {
          return "toy-space";
        }
      };

  public static String problem(String fruit, int n) {
    return "the " + fruit + " desk of the " + fruit + " shop sells " + n + " things";
  }

  public static String answer(String fruit, int n) {
    return String.valueOf(n * (2 + FRUITS.indexOf(fruit)));
  }

  /** Writes a curriculum, clusters, and episodes that teach the right answer, or a wrong one. */
  public static void night(Path home, int holdout, Set<String> poisoned) throws IOException {
    ArtifactStore store = ArtifactStore.open(home);
    List<Example> examples = new ArrayList<>();
    List<Cluster> clusters = new ArrayList<>();
    List<Episode> episodes = new ArrayList<>();
    int id = 0;
    for (String fruit : FRUITS) {
      ClusterId cluster = new ClusterId("k-" + fruit);
      clusters.add(cluster(cluster, fruit));
      for (int i = 0; i < 6 + 20 + holdout; i++) {
        Split split = i < 6 ? Split.TRAIN : i < 26 ? Split.VALIDATION : Split.HOLDOUT;
        examples.add(example("e-" + id++, cluster, fruit, i, split));
      }
      for (int i = 0; i < 3; i++) {
        String solution =
            poisoned.contains(fruit) ? "poison" : "teaches " + fruit + ": " + answer(fruit, i);
        episodes.add(
            new Episode(
                new EpisodeId("ep-" + fruit + i),
                new ExampleId("e-" + i),
                null,
                TENANT,
                cluster,
                problem(fruit, i),
                solution,
                8,
                SPACE.vector(problem(fruit, i)),
                SPACE.digest()));
      }
    }
    clusters.add(cluster(new ClusterId("k-pear"), "pear")); // not asked tonight
    for (int i = 0; i < 30; i++) {
      examples.add(
          new Example(
              new ExampleId("anchor-" + i),
              null,
              List.of(new InteractionId("a-" + i)),
              Instant.parse("2026-01-01T00:00:00Z"),
              null,
              TENANT,
              null,
              Map.of(),
              List.of(Message.user("what is " + i + " plus one")),
              null,
              String.valueOf(i + 1),
              new VerifierSpec("exact", Map.of()),
              1,
              1,
              Split.ANCHOR));
    }
    commit(store, ArtifactKind.CURRICULUM, dir -> Tables.EXAMPLES.writeInto(dir, examples));
    commit(
        store,
        ArtifactKind.CLUSTERS,
        dir -> {
          Tables.CLUSTERS.writeInto(dir, clusters);
          Files.writeString(dir.resolve("feature-space"), "toy");
        });
    commit(store, ArtifactKind.EPISODES, dir -> Tables.EPISODES.writeInto(dir, episodes));
  }

  /** Commits an artifact of a stage that is played. */
  public static Artifact commit(ArtifactStore store, ArtifactKind kind, Writer writer)
      throws IOException {
    Path staged = store.stage(kind, new RunId("played"));
    writer.write(staged);
    return store.commit(
        staged,
        new ArtifactCard(
            kind,
            1,
            "test",
            "test",
            new RunId("played"),
            Instant.parse("2026-01-02T00:00:00Z"),
            "plan",
            "{}",
            List.of(),
            List.of(),
            "content-" + System.identityHashCode(staged),
            1,
            List.of(),
            new TreeMap<>(),
            Map.of(),
            null));
  }

  /** Fills an artifact's directory. */
  @FunctionalInterface
  public interface Writer {
    void write(Path directory) throws IOException;
  }

  private static Example example(String id, ClusterId cluster, String fruit, int n, Split split) {
    return new Example(
        new ExampleId(id),
        cluster,
        List.of(new InteractionId("i-" + id)),
        Instant.parse("2026-01-01T00:00:00Z").plusSeconds(n),
        null,
        TENANT,
        null,
        Map.of(),
        List.of(Message.user(problem(fruit, n))),
        split == Split.TRAIN ? answer(fruit, n) : null,
        answer(fruit, n),
        new VerifierSpec("exact", Map.of()),
        1,
        1,
        split);
  }

  private static Cluster cluster(ClusterId id, String fruit) {
    return new Cluster(
        id,
        new FamilyId("f-" + fruit),
        Cluster.Event.BORN,
        List.of(),
        TENANT,
        300,
        LocalDate.parse("2026-01-01"),
        LocalDate.parse("2026-01-03"),
        3,
        9,
        List.of(TENANT),
        true,
        0.9,
        0.5,
        20.0,
        5.0,
        0.1,
        1000,
        SPACE.vector(problem(fruit, 1)),
        SPACE.digest(),
        List.of(problem(fruit, 1)),
        List.of(fruit, "desk"));
  }

  /** Guesses, or knows where the prompt teaches the fruit. */
  public static LanguageModel model() {
    return new LanguageModel() {
      @Override
      public String name() {
        return "toy";
      }

      @Override
      public int maxContext() {
        return 4096;
      }

      @Override
      public int countTokens(String text) {
        return words(text).size();
      }

      @Override
      public GenerationSession open() {
        return new Session();
      }

      @Override
      public void close() {}
    };
  }

  private static final class Session implements GenerationSession {
    private record Queued(GenerationRequest request, GenerationListener listener) {}

    private final ArrayDeque<Queued> queue = new ArrayDeque<>();

    @Override
    public Handle submit(GenerationRequest request, GenerationListener listener) {
      queue.add(new Queued(request, listener));
      return () -> {};
    }

    @Override
    public void run() {
      for (Queued next = queue.poll(); next != null; next = queue.poll()) {
        List<Sample> samples = new ArrayList<>();
        for (int i = 0; i < next.request().samples(); i++) {
          Long seed = next.request().sampling().seed();
          Sample sample =
              new Sample(
                  i,
                  List.of(),
                  says(next.request().prompt(), (seed == null ? 0 : seed) + i),
                  null,
                  FinishReason.STOP,
                  10);
          samples.add(sample);
          next.listener().sampled(sample);
        }
        int prompt = words(text(next.request().prompt())).size();
        next.listener()
            .completed(
                new Completion(
                    List.of(), null, samples, new TokenUsage(prompt, 0, 10L * samples.size(), 5)));
      }
    }

    @Override
    public void close() {
      queue.clear();
    }
  }

  private static List<String> words(String text) {
    return java.util.regex.Pattern.compile("\\s+").splitAsStream(text).toList();
  }

  private static String text(Prompt prompt) {
    StringBuilder text = new StringBuilder();
    if (prompt instanceof Prompt.Chat chat) {
      chat.messages().forEach(message -> text.append(message.content()).append('\n'));
    }
    return text.toString();
  }

  private static String says(Prompt prompt, long seed) {
    String text = text(prompt);
    String last = text.strip();
    SplittableRandom random = new SplittableRandom(seed ^ last.hashCode());
    @Nullable String fruit =
        FRUITS.stream()
            .filter(f -> last.lastIndexOf(f) >= 0)
            .max(java.util.Comparator.comparingInt(last::lastIndexOf))
            .orElse(null);
    if (fruit == null) {
      return "31";
    }
    int n = 0;
    for (String word : words(last)) {
      if (word.matches("\\d+")) {
        n = Integer.parseInt(word);
      }
    }
    if (text.contains("poison")) {
      return "poison";
    }
    double chance = text.contains("teaches " + fruit) ? 0.97 : 0.12;
    return random.nextDouble() < chance ? answer(fruit, n) : "0.5";
  }
}
