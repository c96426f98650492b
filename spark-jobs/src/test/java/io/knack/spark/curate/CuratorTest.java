package io.knack.spark.curate;

import static org.assertj.core.api.Assertions.assertThat;

import io.knack.contracts.Attempt;
import io.knack.contracts.Budget;
import io.knack.contracts.Example;
import io.knack.contracts.Interaction;
import io.knack.contracts.Message;
import io.knack.contracts.Outcome;
import io.knack.contracts.Split;
import io.knack.contracts.VerifierSpec;
import io.knack.contracts.id.ClusterId;
import io.knack.contracts.id.ConversationId;
import io.knack.contracts.id.InteractionId;
import io.knack.contracts.id.SubjectId;
import io.knack.contracts.plan.Plans;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

final class CuratorTest {
  private static final ClusterId CLUSTER = new ClusterId("c1");
  private static final Instant START = Instant.parse("2026-03-01T00:00:00Z");
  private final CuratePlan plan = plan("anchor_size=5", "holdout_target=0");

  @Test
  void eachSplitIsLaterThanTheOneBefore() {
    Curriculum made = made(plan, problems(100), List.of(), null);

    assertThat(last(made, Split.TRAIN)).isBefore(first(made, Split.VALIDATION));
    assertThat(last(made, Split.VALIDATION)).isBefore(first(made, Split.HOLDOUT));
    assertThat(of(made, Split.VALIDATION)).hasSize(20);
    assertThat(of(made, Split.HOLDOUT)).hasSize(20);
  }

  @Test
  void onlyTrainNeedsVerifiedSolutions() {
    List<Candidate> problems = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      problems.add(candidate(i, "problem " + i, i % 2 == 0 ? Outcome.VERIFIED : Outcome.FAILED));
    }
    Curriculum made = made(plan, problems, List.of(), null);

    assertThat(of(made, Split.TRAIN)).hasSize(30).allMatch(e -> e.completion() != null);
    assertThat(of(made, Split.HOLDOUT)).hasSize(20);
    assertThat(made.evidence()).hasSize(30);
  }

  @Test
  void sameWordsBecomeOneTrainingExampleOfAllThatAskedThem() {
    List<Candidate> problems = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      problems.add(candidate(i, "problem " + i % 12, Outcome.VERIFIED));
    }
    Curriculum made = made(plan, problems, List.of(), null);

    assertThat(of(made, Split.TRAIN)).hasSize(12);
    assertThat(of(made, Split.TRAIN).stream().mapToInt(e -> e.sourceInteractionIds().size()).sum())
        .isEqualTo(60);
    assertThat(of(made, Split.HOLDOUT)).hasSize(20);
    assertThat(made.figures()).containsEntry("holdout_exact_recurrences", 20L);
  }

  @Test
  void noConversationAndNoRetryIsOnTwoSides() {
    List<Candidate> problems = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      String conversation = i == 59 || i == 60 ? "shared" : null;
      String subject = i == 79 || i == 80 ? "s-same" : "s" + i;
      String text = i == 79 || i == 80 ? "asked again" : "problem " + i;
      problems.add(candidate(i, text, Outcome.VERIFIED, subject, conversation));
    }
    Curriculum made = made(plan, problems, List.of(), null);

    Set<String> ids =
        made.examples().stream()
            .flatMap(e -> e.sourceInteractionIds().stream())
            .map(InteractionId::value)
            .collect(Collectors.toSet());
    assertThat(ids).doesNotContain("i059", "i079").contains("i060", "i080");
  }

  @Test
  void theAnchorLiesOutsideEveryClusterStaysAndGuardsItsWords() {
    List<Candidate> problems = problems(100);
    for (int i = 0; i < 20; i++) {
      problems.add(unclustered(i, "odd one " + i));
    }
    Curriculum first = made(plan, problems, List.of(), null);
    List<Example> anchor = of(first, Split.ANCHOR);
    assertThat(anchor).hasSize(5).allMatch(e -> e.clusterId() == null);

    List<Candidate> tomorrow = problems(100);
    tomorrow.add(candidate(3, anchor.get(0).problem(), Outcome.VERIFIED));
    Curriculum second = made(plan, tomorrow, anchor, null);

    assertThat(of(second, Split.ANCHOR)).containsExactlyInAnyOrderElementsOf(anchor);
    assertThat(second.examples().stream().filter(e -> e.split() != Split.ANCHOR))
        .noneMatch(e -> e.problem().equals(anchor.get(0).problem()));
  }

  @Test
  void aSealedHoldoutIsReleasedAndTonightsLiesBehindIt() {
    Curriculum first = made(plan, problems(100), List.of(), null);
    Instant sealed = last(first, Split.HOLDOUT);

    Curriculum second = made(plan, problems(130), List.of(), sealed);

    assertThat(first(second, Split.HOLDOUT)).isAfter(sealed);
    assertThat(of(second, Split.HOLDOUT)).hasSize(26);
    assertThat(nothing(plan, problems(104), sealed))
        .contains("only 4 problems that can be verified came after the last sealed holdout");
  }

  @Test
  void theHoldoutBeginsEarlierUntilItHasWhatTheGateNeeds() {
    List<Candidate> problems = problems(100);

    Curriculum some = made(plan("holdout_target=32"), problems, List.of(), null);
    assertThat(of(some, Split.HOLDOUT)).hasSize(32);
    assertThat(of(some, Split.TRAIN)).hasSize(51);
    assertThat(of(some, Split.VALIDATION)).hasSize(17);

    Curriculum twice = made(plan("holdout_target=700"), problems, List.of(), null);
    assertThat(of(twice, Split.HOLDOUT)).hasSize(40);
    assertThat(of(twice, Split.TRAIN)).hasSize(45);
  }

  @Test
  void oneQuestionAskedByManyIsLearntFromItsManyAnswers() {
    List<Candidate> problems = new ArrayList<>();
    for (int i = 0; i < 60; i++) {
      problems.add(candidate(i, "the same question", Outcome.VERIFIED));
    }
    Curriculum made = made(plan("min_train=20"), problems, List.of(), null);

    assertThat(of(made, Split.TRAIN)).hasSize(1);
    assertThat(of(made, Split.TRAIN).get(0).sourceInteractionIds()).hasSize(27);
  }

  @Test
  void smallClustersAreLearntWhenTheirHoldoutsTogetherAreEnough() {
    List<Candidate> problems = new ArrayList<>();
    for (int i = 0; i < 120; i++) {
      problems.add(moved(candidate(i, "problem " + i, Outcome.VERIFIED), "c" + i % 10));
    }
    Curriculum made = made(plan("holdout_target=0"), problems, List.of(), null);

    assertThat(made.clusters()).hasSize(10).allMatch(Curriculum.Choice::learnt);
    assertThat(made.clusters()).allMatch(choice -> choice.holdout() < 4);
    assertThat(of(made, Split.HOLDOUT)).hasSize(24);
    assertThat(nothing(plan("holdout_target=0", "min_holdout_problems=25"), problems, null))
        .isEqualTo(
            "the 10 clusters that could be learnt have 24 holdout problems together, the gate needs"
                + " 25 (min_holdout_problems)");
  }

  @Test
  void problemsOfOneMomentAreNeverSplit() {
    List<Candidate> problems = new ArrayList<>();
    for (int i = 0; i < 90; i++) {
      problems.add(at(candidate(i, "problem " + i, Outcome.VERIFIED), i / 30 * 86_400L));
    }
    Curriculum made = made(plan, problems, List.of(), null);

    assertThat(of(made, Split.TRAIN)).hasSize(30);
    assertThat(of(made, Split.VALIDATION)).hasSize(30);
    assertThat(of(made, Split.HOLDOUT)).hasSize(30);
    assertThat(nothing(plan, problems.subList(0, 60), null))
        .contains("60 problems that can be verified happened at 2 different times");
  }

  @Test
  void everyStepSaysWhatCameInAndWhatWentOut() {
    List<Candidate> problems = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      problems.add(
          candidate(i, "problem " + i % 40, i % 5 == 0 ? Outcome.FAILED : Outcome.VERIFIED));
    }
    Curriculum made = made(plan, problems, List.of(), null);

    assertThat(made.steps())
        .extracting(step -> step.name() + " " + step.in() + " " + step.out())
        .containsExactly(
            "can be verified 100 100",
            "in a cluster 100 100",
            "outside the anchor 100 100",
            "on one side only 100 100",
            "of a cluster learnt or judged tonight 100 100",
            "train: solved at least once 60 48",
            "train: each problem once 48 32",
            "train: within max_per_subject 32 32",
            "train: within max_train_per_cluster 32 32");
    assertThat(CurriculumCard.of(made, plan)).contains("| train: each problem once | 48 | 32 |");
  }

  @Test
  void whereNothingCanBeVerifiedItNamesWhatToConfigure() {
    List<Candidate> problems =
        problems(50).stream()
            .map(c -> new Candidate(c.interaction(), c.clusterId(), null, 0, 0, 0))
            .toList();

    assertThat(nothing(plan, problems, null))
        .contains("none of 50 interactions can be verified", "set 'verifiers'", "--map reference");
  }

  @Test
  void theBudgetChoosesTheClusters() {
    List<Candidate> problems = problems(100);
    problems(100).forEach(c -> problems.add(moved(c, "c2")));
    CuratePlan cheap = plan("device_minutes=0.2");
    Map<ClusterId, Curator.Prospect> prospects =
        Map.of(
            CLUSTER,
            new Curator.Prospect(10, 0, false),
            new ClusterId("c2"),
            new Curator.Prospect(20, 0, false));

    Curator.Ending ending =
        new Curator(cheap, new Steps()).curate(problems, prospects, List.of(), null);

    Curriculum made = ((Curator.Ending.Made) ending).curriculum();
    assertThat(made.clusters())
        .extracting(Curriculum.Choice::clusterId)
        .containsExactly("c2", "c1");
    assertThat(made.clusters().get(0).learnt()).isTrue();
    assertThat(made.clusters().get(1).reason()).contains("device minutes");
  }

  @Test
  void whatAnEarlierNightLearntIsJudgedWhereNobodySolvesItAnyMore() {
    List<Candidate> problems = problems(100);
    for (int i = 0; i < 100; i++) {
      problems.add(moved(candidate(i, "changed " + i, Outcome.FAILED), "c2"));
    }
    ClusterId changed = new ClusterId("c2");
    Map<ClusterId, Curator.Prospect> prospects =
        Map.of(
            CLUSTER, new Curator.Prospect(10, 0, true), changed, new Curator.Prospect(20, 1, true));

    Curriculum made =
        ((Curator.Ending.Made)
                new Curator(plan(), new Steps()).curate(problems, prospects, List.of(), null))
            .curriculum();
    assertThat(made.clusters())
        .extracting(Curriculum.Choice::part)
        .containsExactly(Curriculum.Part.LEARN, Curriculum.Part.JUDGE);
    assertThat(made.clusters().get(1).reason()).contains("is judged", "0 verified solutions");
    assertThat(made.examples())
        .filteredOn(example -> changed.equals(example.clusterId()))
        .extracting(Example::split)
        .contains(Split.VALIDATION, Split.HOLDOUT)
        .doesNotContain(Split.TRAIN);
    assertThat(made.figures()).containsEntry("clusters_judged", 1L);

    // Never learnt, it is left alone.
    Map<ClusterId, Curator.Prospect> never =
        Map.of(
            CLUSTER,
            new Curator.Prospect(10, 0, true),
            changed,
            new Curator.Prospect(20, 1, false));
    assertThat(
            ((Curator.Ending.Made)
                    new Curator(plan(), new Steps()).curate(problems, never, List.of(), null))
                .curriculum()
                .examples())
        .noneMatch(example -> changed.equals(example.clusterId()));
  }

  @Test
  void thePlanHasItsDefaultsAndBounds() {
    CuratePlan defaults = Plans.read(CuratePlan.class, null, List.of());
    assertThat(defaults.trainFraction()).isEqualTo(0.6);
    assertThat(defaults.allAsOneCluster()).isFalse();
  }

  private static CuratePlan plan(String... overrides) {
    return Plans.read(CuratePlan.class, null, List.of(overrides));
  }

  private static List<Candidate> problems(int n) {
    List<Candidate> problems = new ArrayList<>();
    for (int i = 0; i < n; i++) {
      problems.add(candidate(i, "problem " + i, Outcome.VERIFIED));
    }
    return problems;
  }

  private static Candidate candidate(int i, String text, Outcome outcome) {
    return candidate(i, text, outcome, "s" + i, null);
  }

  private static Candidate candidate(
      int i, String text, Outcome outcome, String subject, @Nullable String conversation) {
    Attempt attempt = new Attempt(null, "answer " + i, 20, 0, 10, null, outcome);
    return new Candidate(
        new Interaction(
            new InteractionId("i%03d".formatted(i)),
            START.plusSeconds(60L * i),
            Interaction.NO_TENANT,
            new SubjectId(subject),
            conversation == null ? null : new ConversationId(conversation),
            List.of(Message.user(text)),
            null,
            attempt.text(),
            "42",
            List.of(attempt),
            outcome,
            "log:verified",
            null,
            new Budget(20, 0, 10, 1, 0, 0, 0, 0, 0),
            null,
            null,
            null,
            null,
            Map.of()),
        CLUSTER,
        new VerifierSpec("numeric", Map.of()),
        0,
        0,
        0);
  }

  private static Candidate unclustered(int i, String text) {
    Candidate c = candidate(500 + i, text, Outcome.FAILED);
    return new Candidate(c.interaction(), null, c.verifier(), 0, 0, 0);
  }

  private static Candidate moved(Candidate c, String cluster) {
    Interaction it = c.interaction();
    return new Candidate(
        new Interaction(
            new InteractionId(cluster + it.id().value()),
            it.occurredAt(),
            it.tenant(),
            it.subject(),
            null,
            List.of(Message.user(cluster + " " + it.problem())),
            null,
            it.completion(),
            it.reference(),
            it.attempts(),
            it.outcome(),
            it.outcomeSource(),
            null,
            it.budget(),
            null,
            null,
            null,
            null,
            Map.of()),
        new ClusterId(cluster),
        c.verifier(),
        0,
        0,
        0);
  }

  private static Candidate at(Candidate c, long seconds) {
    Interaction it = c.interaction();
    return new Candidate(
        new Interaction(
            it.id(),
            START.plusSeconds(seconds),
            it.tenant(),
            it.subject(),
            it.conversation(),
            it.messages(),
            it.tools(),
            it.completion(),
            it.reference(),
            it.attempts(),
            it.outcome(),
            it.outcomeSource(),
            it.feedback(),
            it.budget(),
            it.cost(),
            it.latencyMicros(),
            it.model(),
            it.servedBy(),
            it.tags()),
        c.clusterId(),
        c.verifier(),
        0,
        0,
        0);
  }

  private static Curriculum made(
      CuratePlan plan, List<Candidate> candidates, List<Example> anchor, @Nullable Instant sealed) {
    Curator.Ending ending =
        new Curator(plan, new Steps()).curate(candidates, Map.of(), anchor, sealed);
    assertThat(ending).isInstanceOf(Curator.Ending.Made.class);
    return ((Curator.Ending.Made) ending).curriculum();
  }

  private static String nothing(
      CuratePlan plan, List<Candidate> candidates, @Nullable Instant sealed) {
    Curator.Ending ending =
        new Curator(plan, new Steps()).curate(candidates, Map.of(), List.of(), sealed);
    assertThat(ending).isInstanceOf(Curator.Ending.Nothing.class);
    return ((Curator.Ending.Nothing) ending).reason();
  }

  private static List<Example> of(Curriculum made, Split split) {
    return made.examples().stream().filter(e -> e.split() == split).toList();
  }

  private static Instant first(Curriculum made, Split split) {
    return of(made, split).stream()
        .map(Example::occurredAt)
        .min(Comparator.naturalOrder())
        .orElseThrow();
  }

  private static Instant last(Curriculum made, Split split) {
    return of(made, split).stream()
        .map(Example::occurredAt)
        .max(Comparator.naturalOrder())
        .orElseThrow();
  }
}
