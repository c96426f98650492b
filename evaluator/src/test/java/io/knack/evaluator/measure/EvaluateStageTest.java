package io.knack.evaluator.measure;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.knack.contracts.Manifest;
import io.knack.contracts.Report;
import io.knack.contracts.Report.Comparison;
import io.knack.contracts.Report.EntryReport;
import io.knack.contracts.Trial;
import io.knack.contracts.Verdict;
import io.knack.contracts.cli.Console;
import io.knack.contracts.id.ClusterId;
import io.knack.contracts.id.RuleId;
import io.knack.contracts.id.RunId;
import io.knack.contracts.id.TenantId;
import io.knack.contracts.plan.Plans;
import io.knack.contracts.stage.ContractException;
import io.knack.contracts.stage.ExitCode;
import io.knack.contracts.stage.PlanException;
import io.knack.contracts.stage.StageRunner;
import io.knack.contracts.store.Artifact;
import io.knack.contracts.store.ArtifactKind;
import io.knack.contracts.store.ArtifactStore;
import io.knack.contracts.store.Jsons;
import io.knack.contracts.table.Tables;
import io.knack.evaluator.statistics.ErrorOverNights;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class EvaluateStageTest {
  @TempDir Path home;

  @Test
  void helpfulMemoryIsPromotedAndPoisonIsNot() throws IOException {
    ToyWorld.night(home, 140, Set.of("plum"));
    StageRunner.Ending ending = run("r-1", List.of());

    assertThat(ending.exit()).isEqualTo(ExitCode.OK);
    Report report = report();
    assertThat(report.verdict()).isInstanceOf(Verdict.Promote.class);
    assertThat(report.entries())
        .filteredOn(entry -> entry.clusterId().value().equals("k-plum"))
        .extracting(EntryReport::memory)
        .containsExactly("nothing");
    Manifest manifest = manifest();
    assertThat(manifest.entries())
        .extracting(entry -> entry.clusterId().value() + " " + entry.memory())
        .containsExactlyInAnyOrder("k-kiwi episodes", "k-fig episodes");

    Comparison all =
        report.comparisons().stream()
            .filter(c -> c.phase().equals("gate") && c.dimension().equals("all"))
            .filter(c -> c.arm().equals("manifest"))
            .findFirst()
            .orElseThrow();
    assertThat(all.saving().estimate()).isGreaterThan(0.3);
    assertThat(all.saving().low()).isLessThan(all.saving().estimate());
    assertThat(all.candidate().units()).isLessThan(2);
    assertThat(report.counts().gated()).isLessThan(report.counts().available());
    assertThat(report.examples()).isNotEmpty();
    assertThat(report.returns().savedPerMonth()).isPositive();
    assertThat(report.returns().paybackDays()).isPositive();
    assertThat(Files.readString(latest().file(EvaluateStage.PAGE)))
        .startsWith("<!doctype html>")
        .contains("Side by side");
  }

  @Test
  void whatIsLiveIsKeptReplacedOrRetiredForAStatedReason() throws IOException {
    ToyWorld.night(home, 140, Set.of("plum"));
    live("k-kiwi poison", "k-fig teaches fig: 8", "k-plum poison", "k-pear any", "k-gone any");
    run("r-1", List.of());

    assertThat(report().verdict()).isInstanceOf(Verdict.Promote.class);
    assertThat(manifest().entries())
        .extracting(entry -> entry.clusterId().value())
        .containsExactlyInAnyOrder("k-kiwi", "k-fig", "k-pear");
    assertThat(report().refused())
        .extracting(r -> r.what() + ": " + r.why())
        .anyMatch(r -> r.startsWith("cluster k-kiwi, live reflect: replaced by episodes"))
        .anyMatch(r -> r.startsWith("cluster k-plum, live reflect: retired: loses"))
        .anyMatch(r -> r.startsWith("cluster k-gone, live reflect: retired: its cluster has faded"))
        .noneMatch(r -> r.startsWith("cluster k-pear"));
  }

  @Test
  void whatHarmsIsRetiredEvenIfNothingNewIsWorthIt() throws IOException {
    ToyWorld.night(home, 6, Set.copyOf(ToyWorld.FRUITS));
    live("k-kiwi poison", "k-fig teaches fig: 8");
    run("r-1", List.of());

    assertThat(report().verdict()).isInstanceOf(Verdict.Promote.class);
    assertThat(report().verdict().rule()).startsWith("retires what is live");
    assertThat(manifest().entries())
        .extracting(entry -> entry.clusterId().value())
        .containsExactly("k-fig");
  }

  /** What an earlier night promoted: rules, by cluster. */
  private void live(String... rules) throws IOException {
    List<Manifest.Entry> entries = new ArrayList<>();
    for (String rule : rules) {
      String cluster = rule.substring(0, rule.indexOf(' '));
      entries.add(
          new Manifest.Entry(
              new ClusterId(cluster),
              new TenantId("acme"),
              "reflect",
              null,
              List.of(
                  new Manifest.RuleText(
                      new RuleId("r-" + cluster), "", rule.substring(cluster.length() + 1))),
              List.of(),
              new Manifest.Trigger(
                  0.3,
                  0,
                  ToyWorld.SPACE.vector(ToyWorld.problem(cluster.substring(2), 1)),
                  List.of()),
              1));
    }
    Path file = home.resolve("serving/manifests/v000001.json");
    Files.createDirectories(file.getParent());
    Files.writeString(
        file,
        Jsons.mapper()
            .writeValueAsString(
                new Manifest(
                    1, null, Instant.EPOCH, "earlier", "base", null, "toy-space", "x", entries)));
  }

  @Test
  void sidesArePairedByProblemAndSeed() throws IOException {
    ToyWorld.night(home, 40, Set.of());
    run("r-1", List.of());
    List<Trial> trials = Tables.TRIALS.readAllFrom(latest().directory());
    for (Trial candidate : trials.stream().filter(t -> !t.arm().equals("baseline")).toList()) {
      assertThat(trials)
          .anyMatch(
              t ->
                  t.arm().equals("baseline")
                      && t.example().equals(candidate.example())
                      && t.seed() == candidate.seed());
    }
  }

  @Test
  void theSameInputsGiveTheSameContentAndASealedSetGatesOnce() throws IOException {
    ToyWorld.night(home, 40, Set.of());
    StageRunner.Ending first = run("r-1", List.of());
    String digest = latest().card().contentDigest();
    assertThat(run("r-2", List.of()).outcome()).isEqualTo("already_committed");
    assertThat(first.outcome()).isEqualTo("committed");
    assertThatThrownBy(() -> run("r-3", List.of("seed=2")))
        .isInstanceOf(ContractException.class)
        .hasMessageContaining("gates one night only");

    Path other = home.resolve("other");
    ToyWorld.night(other, 40, Set.of());
    home = other;
    run("r-9", List.of());
    assertThat(latest().card().contentDigest()).isEqualTo(digest);
  }

  @Test
  void nightsMayShareOneErrorBudget() throws IOException {
    ToyWorld.night(home, 80, Set.of());
    run("r-1", List.of("nights=e_lond"));
    assertThat(report().policy()).containsEntry("alpha", ErrorOverNights.level(1, 0, 0.01));
    assertThat(report().verdict()).isInstanceOf(Verdict.Promote.class);
    ToyWorld.night(home, 84, Set.of());
    run("r-2", List.of("nights=e_lond"));
    assertThat(report().policy()).containsEntry("alpha", ErrorOverNights.level(2, 1, 0.01));
  }

  @Test
  void whereNoMemoryHelpsTheHoldoutStaysSealed() throws IOException {
    ToyWorld.night(home, 40, Set.copyOf(ToyWorld.FRUITS));
    run("r-1", List.of());
    assertThat(report().verdict()).isInstanceOf(Verdict.Hold.class);
    assertThat(report().verdict().rule()).contains("stays sealed");
    assertThat(report().counts().gated()).isZero();
    assertThat(manifest().entries()).isEmpty();
  }

  @Test
  void tooFewProblemsAreInsufficient() throws IOException {
    ToyWorld.night(home, 4, Set.of());
    run("r-1", List.of());
    assertThat(report().verdict())
        .isInstanceOfSatisfying(
            Verdict.Insufficient.class,
            verdict -> assertThat(verdict.problemsNeeded()).isGreaterThan(12));
  }

  @Test
  void nothingLearntIsNothingToJudge() throws IOException {
    ToyWorld.night(home, 4, Set.of());
    Path empty = home.resolve("empty");
    ArtifactStore from = ArtifactStore.open(home);
    ArtifactStore to = ArtifactStore.open(empty);
    for (ArtifactKind kind : List.of(ArtifactKind.CURRICULUM, ArtifactKind.CLUSTERS)) {
      Artifact artifact = from.latest(kind).orElseThrow();
      ToyWorld.commit(
          to,
          kind,
          dir -> {
            try (var files = Files.list(artifact.directory())) {
              for (Path file : files.toList()) {
                if (!file.endsWith("artifact.json")) {
                  Files.copy(file, dir.resolve(file.getFileName()));
                }
              }
            }
          });
    }
    home = empty;
    assertThat(run("r-1", List.of()).exit()).isEqualTo(ExitCode.NOTHING);
  }

  @Test
  void planDefaultsAreThoseOfTheShippedFileAndEveryProblemIsTold() {
    Path file = Path.of(System.getProperty("knack.root"), "config", "evaluate.yaml");
    assertThat(Plans.read(EvaluatePlan.class, file, List.of()))
        .isEqualTo(Plans.read(EvaluatePlan.class, null, List.of()));
    assertThat(Plans.leftOut(EvaluatePlan.class, file)).isEmpty();
    assertThatThrownBy(
            () ->
                Plans.read(
                    EvaluatePlan.class,
                    null,
                    List.of(
                        "sampling.look=0",
                        "gate.alpha=2",
                        "sampling.holdot=3",
                        "method=zzz",
                        "endpoint=ftp://x")))
        .isInstanceOf(PlanException.class)
        .hasMessageContaining("has 5 problems")
        .hasMessageContaining("endpoint: is 'ftp://x', expected an http or https address")
        .hasMessageContaining("no solver is called 'zzz'")
        .hasMessageContaining("sampling.look: is 0")
        .hasMessageContaining("gate.alpha: is 2")
        .hasMessageContaining("did you mean");
    assertThatThrownBy(() -> Plans.read(EvaluatePlan.class, null, List.of("method=guess")))
        .isInstanceOf(PlanException.class)
        .hasMessageContaining("no solver is called 'guess'");
  }

  private StageRunner.Ending run(String run, List<String> overrides) {
    EvaluatePlan plan = Plans.read(EvaluatePlan.class, null, overrides);
    return new StageRunner(home, Clock.systemUTC(), Console.silent())
        .run(
            new EvaluateStage(
                (p, adapters) -> ToyWorld.model(), (file, encoders) -> ToyWorld.SPACE),
            plan,
            new RunId(run));
  }

  private Artifact latest() {
    return ArtifactStore.open(home).latest(ArtifactKind.EVALUATION).orElseThrow();
  }

  private Report report() throws IOException {
    return Jsons.mapper()
        .readValue(Files.readString(latest().file(EvaluateStage.REPORT)), Report.class);
  }

  private Manifest manifest() throws IOException {
    return Jsons.mapper()
        .readValue(Files.readString(latest().file(EvaluateStage.CANDIDATE)), Manifest.class);
  }
}
