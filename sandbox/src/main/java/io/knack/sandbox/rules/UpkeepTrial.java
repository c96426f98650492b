package io.knack.sandbox.rules;

import io.knack.consolidation.ledger.LedgerFiles;
import io.knack.consolidation.ledger.LedgerNight;
import io.knack.consolidation.ledger.RuleBook;
import io.knack.consolidation.ledger.Upkeep;
import io.knack.consolidation.reflect.ReflectPlan;
import io.knack.consolidation.reflect.ReflectStage;
import io.knack.contracts.Attempt;
import io.knack.contracts.Cluster;
import io.knack.contracts.Evidence;
import io.knack.contracts.Example;
import io.knack.contracts.Interaction;
import io.knack.contracts.Message;
import io.knack.contracts.Outcome;
import io.knack.contracts.Rule;
import io.knack.contracts.Split;
import io.knack.contracts.VerifierSpec;
import io.knack.contracts.cli.Console;
import io.knack.contracts.id.ClusterId;
import io.knack.contracts.id.ExampleId;
import io.knack.contracts.id.InteractionId;
import io.knack.contracts.id.RuleId;
import io.knack.contracts.id.RunId;
import io.knack.contracts.plan.Plans;
import io.knack.contracts.stage.StageRunner;
import io.knack.contracts.store.ArtifactKind;
import io.knack.contracts.store.ArtifactStore;
import io.knack.contracts.table.Tables;
import io.knack.practice.features.HashedSpace;
import io.knack.sandbox.world.Kind;
import io.knack.sandbox.world.Problem;
import io.knack.sandbox.world.Structure;
import io.knack.sandbox.world.Words;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/**
 * A workspace with many rules and many verified solutions, for measuring a night's upkeep of them.
 *
 * <p>Rules stand in the three ways on the first clusters; each of these has validation problems
 * tonight, so that every rule is replayed and credited. The ledger is many nights long. Solutions
 * are dealt out over all clusters in turn.
 */
public final class UpkeepTrial {
  private static final Instant START = Instant.parse("2026-01-05T08:00:00Z");
  private static final int VALIDATION = 12;
  private static final int FITTED = 20_000;
  private static final List<Structure> STRUCTURES = List.of(Structure.values());

  /**
   * How large.
   *
   * @param rules live ones
   * @param solutions verified, of all clusters
   * @param perCluster solutions of a cluster
   * @param nights of the ledger
   */
  public record Size(int rules, int solutions, int perCluster, int nights) {
    /** Clusters in all. */
    public int clusters() {
      return Math.max(taught(), (solutions + perCluster - 1) / perCluster);
    }

    private int taught() {
      return (rules + TrialResult.WAYS.size() - 1) / TrialResult.WAYS.size();
    }
  }

  private final Path home;
  private final Size size;

  public UpkeepTrial(Path home, Size size) {
    this.home = home;
    this.size = size;
  }

  /** Makes the workspace as it is before the night. */
  public void prepare() throws IOException {
    ArtifactStore store = ArtifactStore.open(home);
    HashedSpace space =
        HashedSpace.fit(
            IntStream.range(0, Math.min(FITTED, size.solutions())).mapToObj(this::problem).toList(),
            1);
    RunId run = new RunId("given");
    Path clusters = store.stage(ArtifactKind.CLUSTERS, run);
    space.save(clusters.resolve("feature_space.bin"));
    LocalDate day = LocalDate.ofInstant(START, ZoneOffset.UTC);
    Iterable<Cluster> rows =
        () ->
            IntStream.range(0, size.clusters())
                .mapToObj(
                    c ->
                        Given.cluster(
                            cluster(c),
                            size.perCluster(),
                            day,
                            space.vector(problem(c)),
                            space.digest()))
                .iterator();
    Tables.CLUSTERS.writeInto(clusters, rows);
    store.commit(clusters, Given.card(ArtifactKind.CLUSTERS, run, START));
    Path curriculum = store.stage(ArtifactKind.CURRICULUM, run);
    long validation = (long) VALIDATION * size.taught();
    Iterable<Example> examples =
        () -> LongStream.range(0, size.solutions() + validation).mapToObj(this::example).iterator();
    Tables.EXAMPLES.writeInto(curriculum, examples);
    Iterable<Evidence> evidence =
        () ->
            IntStream.range(0, size.solutions())
                .mapToObj(
                    i ->
                        new Evidence(
                            new ExampleId("e" + i),
                            List.of(
                                new Attempt("best_of_n", "A: 0", 50, 0, 20, 0.0, Outcome.FAILED))))
                .iterator();
    Tables.EVIDENCE.writeInto(curriculum, evidence);
    store.commit(curriculum, Given.card(ArtifactKind.CURRICULUM, run, START));
    ledger(store);
  }

  private void ledger(ArtifactStore store) throws IOException {
    RuleBook book = new RuleBook();
    for (int n = 0; n < size.nights(); n++) {
      RunId run = new RunId("night-" + n);
      Instant at = START.plus(Duration.ofDays(n));
      LedgerNight night = new LedgerNight(book, run, at, Upkeep.DEFAULT);
      for (int r = 0; r < size.rules(); r++) {
        if (n == 0) {
          night.learn(rule(r), "replayed on 12 problems: saves 80% of the cost");
        } else {
          night.credit(new RuleId("rule-" + r), 12, 0, 40);
        }
      }
      Path rules = store.stage(ArtifactKind.RULES, run);
      LedgerFiles.write(rules, night.events(), book.live());
      store.commit(rules, Given.card(ArtifactKind.RULES, run, at));
    }
  }

  /** The night's reflection with a model that takes no time. */
  public StageRunner.Ending reflect(Console console) {
    ReflectPlan plan = Plans.read(ReflectPlan.class, null, List.of("solver.form=short"));
    Instant at = START.plus(Duration.ofDays(size.nights()));
    return new StageRunner(home, Clock.fixed(at, ZoneOffset.UTC), console)
        .run(new ReflectStage(p -> new InstantModel()), plan, new RunId("upkeep"));
  }

  private static ClusterId cluster(long number) {
    return new ClusterId("cluster-" + number);
  }

  private Rule rule(int number) {
    int cluster = number / TrialResult.WAYS.size();
    String way = TrialResult.WAYS.get(number % TrialResult.WAYS.size());
    return new Rule(
        new RuleId("rule-" + number),
        cluster(cluster),
        Interaction.NO_TENANT,
        way,
        policy(cluster),
        "add " + (3 + number % 7),
        "",
        List.of(new ExampleId("e" + cluster)),
        12,
        0,
        40,
        12,
        START,
        null);
  }

  private static String policy(long cluster) {
    return Words.policyName(new SplittableRandom(cluster)) + " " + cluster;
  }

  private String problem(long number) {
    long cluster = clusterOf(number);
    SplittableRandom random = new SplittableRandom(number);
    Structure structure = STRUCTURES.get(random.nextInt(STRUCTURES.size()));
    return "Order "
        + number
        + ". "
        + Problem.draw(structure, Kind.SHIPPING, policy(cluster), random).text();
  }

  private long clusterOf(long number) {
    return number < size.solutions()
        ? number % size.clusters()
        : (number - size.solutions()) % size.taught();
  }

  private Example example(long number) {
    boolean train = number < size.solutions();
    return new Example(
        new ExampleId("e" + number),
        cluster(clusterOf(number)),
        List.of(new InteractionId("i" + number)),
        START.plus(Duration.ofSeconds(number)),
        null,
        Interaction.NO_TENANT,
        null,
        Map.of(),
        List.of(Message.user(problem(number))),
        train ? "7+5=12\n12+" + number % 9 + "=" + (12 + number % 9) + "\nA: 1" : null,
        InstantModel.RIGHT,
        new VerifierSpec("exact", Map.of()),
        1,
        1,
        train ? Split.TRAIN : Split.VALIDATION);
  }
}
