package io.knack.contracts.stage;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.knack.contracts.cli.Console;
import io.knack.contracts.id.RunId;
import io.knack.contracts.plan.Default;
import io.knack.contracts.plan.Plans;
import io.knack.contracts.stage.StageInput.Need;
import io.knack.contracts.store.Artifact;
import io.knack.contracts.store.ArtifactKind;
import io.knack.contracts.store.ArtifactStore;
import io.knack.contracts.store.Digests;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class StageRunnerTest {
  @TempDir Path home;
  private int runs;
  private StageRunner runner = new StageRunner(Path.of("."), Clock.systemUTC(), Console.silent());

  /** How the fake ends. */
  public enum Ends {
    PRODUCED,
    NOTHING,
    TEMPORARY,
    FULL_DISK,
    BUG,
    NO_MEMORY
  }

  /** Plan of the fake stages. */
  public record Plan(@Default("x") String text, @Default("produced") Ends ends) {}

  @BeforeEach
  void workspace() {
    runner = new StageRunner(home, Clock.systemUTC(), Console.silent());
  }

  @Test
  void aSecondRunIsANoOp() {
    run(source(), "a", "--");
    StageRunner.Ending first = run(miner(), "a", "--");
    assertThat(first.outcome()).isEqualTo("committed");
    StageRunner.Ending same = run(miner(), "a", "--");
    StageRunner.Ending nextRun = run(miner(), "b", "--");
    assertThat(List.of(same.outcome(), nextRun.outcome())).containsOnly("already_committed");
    assertThat(nextRun.artifact()).isEqualTo(first.artifact());
    assertThat(run(miner(), "c", "text=y").outcome()).as("another plan").isEqualTo("committed");
    run(source(), "d", "text=z");
    StageRunner.Ending tonight = run(miner(), "d", "text=y");
    assertThat(tonight.outcome()).as("more input").isEqualTo("committed");
    assertThat(RunRecord.read(home, new RunId("d"), "mine").orElseThrow().exit()).isEqualTo(0);
  }

  @Test
  void inputsStayPinnedWithinARun() {
    run(source(), "a", "--");
    assertThatThrownBy(() -> run(miner(), "night", "ends=temporary"))
        .isInstanceOf(TemporaryException.class);
    run(source(), "b", "text=more");
    StageRunner.Ending retry = run(miner(), "night", "ends=temporary", "text=x", "ends=temporary");
    assertThat(retry.outcome()).isEqualTo("committed");
    Artifact artifact =
        ArtifactStore.open(home).resolve(java.util.Objects.requireNonNull(retry.artifact()));
    assertThat(artifact.card().inputs()).hasSize(1);
  }

  @Test
  void whatTheStageItselfMadeIsReadAsItIsNow() {
    Stage<Plan> adder =
        new Fake(
            "import",
            ArtifactKind.INTERACTIONS,
            List.of(new StageInput(ArtifactKind.INTERACTIONS, Need.CHAIN_IF_ANY)));
    StageRunner.Ending first = run(adder, "night", "--");
    // Its process was killed between the commit and its record; the night starts it again.
    StageRunner.Ending again = run(adder, "night", "--");
    assertThat(
            ArtifactStore.open(home)
                .resolve(java.util.Objects.requireNonNull(again.artifact()))
                .card()
                .inputs())
        .containsExactly(java.util.Objects.requireNonNull(first.artifact()));
  }

  @Test
  void aMissingInputNamesTheStageThatMakesIt() {
    assertThatThrownBy(() -> run(miner(), "a", "--"))
        .isInstanceOf(ContractException.class)
        .hasMessageContaining("mine needs interactions, found none")
        .hasMessageContaining("./knack import");
  }

  @Test
  void nothingToHandOnCommitsNothing() {
    StageRunner.Ending ending = run(source(), "a", "ends=nothing");
    assertThat(ending.exit()).isEqualTo(ExitCode.NOTHING);
    assertThat(ending.reason()).isEqualTo("too little");
    assertThat(ArtifactStore.open(home).chain(ArtifactKind.INTERACTIONS)).isEmpty();
    assertThat(home.resolve("artifacts/interactions")).isEmptyDirectory();
  }

  /** Committed, recognised, failed: an observer hears of each end once. */
  @Test
  void anObserverSeesWhatComesOfAStage() {
    List<String> seen = new ArrayList<>();
    StageObserver observer =
        beginning ->
            new StageObserver.Watch() {
              @Override
              public void ended(StageRunner.Ending ending, Optional<Artifact> artifact) {
                seen.add(beginning.stage() + " " + ending.outcome() + " " + artifact.isPresent());
              }

              @Override
              public void failed(ExitCode exit, String reason) {
                seen.add(beginning.stage() + " failed " + exit.code());
              }
            };
    runner = new StageRunner(home, Clock.systemUTC(), Console.silent(), observer);
    run(source(), "a", "--");
    assertThatThrownBy(() -> run(miner(), "b", "ends=temporary"))
        .isInstanceOf(TemporaryException.class);
    run(miner(), "c", "--");
    run(miner(), "d", "--");
    run(source(), "e", "ends=nothing");
    assertThat(seen)
        .containsExactly(
            "import committed true",
            "mine failed 75",
            "mine committed true",
            "mine already_committed false",
            "import nothing false");
  }

  /** Spark is written in Scala: what it throws is neither declared nor a RuntimeException. */
  @Test
  void aFullDiskBelowAnEngineIsSaidAndLeavesNothing() {
    assertThatThrownBy(() -> run(source(), "a", "ends=full_disk"))
        .isInstanceOf(TemporaryException.class)
        .hasMessage(
            "import could not read or write: No space left on device; try again when that is"
                + " mended");
    assertThat(home.resolve("artifacts/interactions")).isEmptyDirectory();
    assertThat(RunRecord.read(home, new RunId("a"), "import").orElseThrow().exit()).isEqualTo(75);
  }

  /** A record without an end would be of a stage that still runs. */
  @Test
  void aBugEndsTheRecordToo() {
    List<String> seen = new ArrayList<>();
    StageObserver observer =
        beginning ->
            new StageObserver.Watch() {
              @Override
              public void ended(StageRunner.Ending ending, Optional<Artifact> artifact) {}

              @Override
              public void failed(ExitCode exit, String reason) {
                seen.add(exit + " " + reason);
              }
            };
    runner = new StageRunner(home, Clock.systemUTC(), Console.silent(), observer);
    assertThatThrownBy(() -> run(source(), "a", "ends=bug"))
        .isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> run(source(), "b", "ends=no_memory"))
        .isInstanceOf(OutOfMemoryError.class);
    assertThat(seen)
        .containsExactly(
            "BUG java.lang.IllegalStateException: cannot be",
            "BUG java.lang.OutOfMemoryError: Java heap space");
    for (String run : List.of("a", "b")) {
      RunRecord record = RunRecord.read(home, new RunId(run), "import").orElseThrow();
      assertThat(record.exit()).isEqualTo(70);
      assertThat(record.endedAt()).isNotNull();
    }
  }

  @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"})
  private static <E extends Exception> E undeclared(Exception thrown) throws E {
    throw (E) thrown;
  }

  @Test
  void runIdsCannotLeaveTheWorkspace() {
    for (String id : List.of("../x", "a/b", "", ".hidden", "x".repeat(101))) {
      assertThatThrownBy(() -> StageRunner.checkedRunId(id)).isInstanceOf(PlanException.class);
    }
  }

  private StageRunner.Ending run(Stage<Plan> stage, String run, String... overrides) {
    List<String> given = List.of(overrides).equals(List.of("--")) ? List.of() : List.of(overrides);
    return runner.run(stage, Plans.read(Plan.class, null, given), new RunId(run));
  }

  private Stage<Plan> source() {
    return new Fake("import", ArtifactKind.INTERACTIONS, List.of());
  }

  private Stage<Plan> miner() {
    return new Fake(
        "mine",
        ArtifactKind.CLUSTERS,
        List.of(
            new StageInput(ArtifactKind.INTERACTIONS, Need.CHAIN),
            new StageInput(ArtifactKind.CLUSTERS, Need.LATEST_IF_ANY)));
  }

  private final class Fake implements Stage<Plan> {
    private final String name;
    private final ArtifactKind kind;
    private final List<StageInput> inputs;

    private Fake(String name, ArtifactKind kind, List<StageInput> inputs) {
      this.name = name;
      this.kind = kind;
      this.inputs = inputs;
    }

    @Override
    public String name() {
      return name;
    }

    @Override
    public Class<Plan> planType() {
      return Plan.class;
    }

    @Override
    public ArtifactKind produces() {
      return kind;
    }

    @Override
    public List<StageInput> inputs(Plan plan) {
      return inputs;
    }

    @Override
    public StageResult run(Plan plan, StageInputs given, StageContext context) throws IOException {
      runs++;
      return switch (plan.ends()) {
        case PRODUCED -> produce(plan, context);
        case NOTHING -> new StageResult.Nothing("too little");
        case FULL_DISK -> {
          produce(plan, context);
          throw StageRunnerTest.<RuntimeException>undeclared(
              new Exception("job aborted", new Error(new IOException("No space left on device"))));
        }
        case BUG -> throw new IllegalStateException("cannot be");
        case NO_MEMORY -> throw new OutOfMemoryError("Java heap space");
        case TEMPORARY -> {
          if (runs <= 2) {
            throw new TemporaryException("endpoint down");
          }
          yield produce(plan, context);
        }
      };
    }

    private StageResult produce(Plan plan, StageContext context) throws IOException {
      Files.writeString(context.output().resolve("rows.txt"), plan.text());
      return StageResult.Produced.of(Digests.sha256(plan.text()), 1, Map.of("rows", 1));
    }
  }
}
