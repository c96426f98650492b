package io.knack.evaluator.gate;

import static org.assertj.core.api.Assertions.assertThat;

import io.knack.contracts.Report.Evidence;
import io.knack.contracts.Verdict;
import io.knack.contracts.cli.Console;
import io.knack.contracts.plan.Plans;
import java.util.List;
import java.util.function.IntFunction;
import org.junit.jupiter.api.Test;

final class GateTest {
  private static final GatePolicy POLICY = GatePolicy.DEFAULT;

  @Test
  void defaultsOfThePlanAreThePolicyThatShips() {
    assertThat(Plans.read(GatePolicy.class, null, List.of())).isEqualTo(POLICY);
  }

  @Test
  void roundsNeverSpendMoreThanAlpha() {
    double spent = 0;
    for (int round = 0; round < 50; round++) {
      spent += POLICY.alphaOfRound(round);
    }
    assertThat(spent).isLessThanOrEqualTo(POLICY.alpha() * (1 + 1e-12));
  }

  @Test
  void cheaperAndBetterIsPromotedEarly() {
    SequentialGate gate = play(i -> new Paired(8, 1, 16, i % 4 != 0, true), 1_000);
    assertThat(gate.problems()).isLessThan(150);
    assertThat(Gate.decide(gate.evidence(0.5), POLICY))
        .isInstanceOfSatisfying(
            Verdict.Promote.class,
            verdict -> assertThat(verdict.rule()).startsWith("saves more than 50%"));
  }

  @Test
  void cheaperButWrongIsHeld() {
    SequentialGate gate = play(i -> new Paired(8, 1, 16, true, i % 5 != 0), 1_000);
    assertThat(Gate.decide(gate.evidence(null), POLICY))
        .isInstanceOfSatisfying(
            Verdict.Hold.class, verdict -> assertThat(verdict.rule()).contains("accuracy falls"));
  }

  @Test
  void noCheaperIsHeldAsFutile() {
    SequentialGate gate = play(i -> new Paired(8, 8, 16, true, true), 1_500);
    assertThat(Gate.decide(gate.evidence(null), POLICY))
        .isInstanceOfSatisfying(
            Verdict.Hold.class,
            verdict -> assertThat(verdict.rule()).contains("saves less than 10%"));
  }

  @Test
  void tooFewProblemsSayHowManyWouldSettleIt() {
    SequentialGate gate = play(i -> new Paired(8, 1, 16, true, true), 100);
    assertThat(Gate.decide(gate.evidence(null), POLICY))
        .isInstanceOfSatisfying(
            Verdict.Insufficient.class,
            verdict -> {
              assertThat(verdict.rule()).isEqualTo("accuracy not settled");
              assertThat(verdict.problemsNeeded()).isBetween(200L, 1_000L);
            });
  }

  @Test
  void harmOnTheAnchorVetoesWhatIsProved() {
    SequentialGate gate = new SequentialGate(POLICY, 0, List.of(), 1);
    for (int i = 0; i < 60; i++) {
      gate.observeAnchor(new Paired(1, 1, 16, true, i % 3 != 0));
    }
    for (int i = 0; i < 400; i++) {
      gate.observe(new Paired(8, 1, 16, i % 4 != 0, true));
    }
    assertThat(gate.settled()).isTrue();
    assertThat(Gate.decide(gate.evidence(0.5), POLICY))
        .isEqualTo(new Verdict.Hold("the anchor set is harmed"));
  }

  @Test
  void aSliceVetoesOnHarmNotOnAbsenceOfProof() {
    SequentialGate gate = new SequentialGate(POLICY, 0, List.of("tenant=small", "tenant=big"), 1);
    anchor(gate);
    for (int i = 0; i < 400 && !gate.settled(); i++) {
      int tenant = i % 50 == 0 ? 0 : 1;
      gate.observe(new Paired(8, 1, 16, i % 4 != 0, true), tenant);
    }
    assertThat(Gate.decide(gate.evidence(0.5), POLICY)).isInstanceOf(Verdict.Promote.class);

    SequentialGate harmed = new SequentialGate(POLICY, 0, List.of("tenant=small", "tenant=big"), 1);
    anchor(harmed);
    for (int i = 0; i < 400 && harmed.harmed() < 0; i++) {
      boolean small = i % 5 == 0;
      harmed.observe(new Paired(8, 1, 16, small || i % 4 != 0, !small), small ? 0 : 1);
    }
    assertThat(Gate.decide(harmed.evidence(0.5), POLICY))
        .isEqualTo(new Verdict.Hold("accuracy falls in the slice tenant=small"));
  }

  @Test
  void faultsCountAgainstTheCandidate() {
    assertThat(Paired.of(3, 1, 16, false, true, false, true))
        .isEqualTo(new Paired(3, 16, 16, false, false));
    assertThat(Paired.of(3, 1, 16, false, true, true, false))
        .isEqualTo(new Paired(3, 1, 16, true, true));
  }

  @Test
  void missingOrInfiniteEvidenceIsNeverPromoted() {
    Evidence seen = play(i -> new Paired(8, 1, 16, i % 4 != 0, true), 500).evidence(0.5);
    Evidence odd =
        new Evidence(
            0,
            seen.alpha(),
            seen.problems(),
            Double.NaN,
            seen.logSaving(),
            0,
            0,
            0,
            50,
            0,
            0,
            0.5,
            List.of());
    assertThat(Gate.decide(odd, POLICY)).isInstanceOf(Verdict.Hold.class);
    Evidence noAnchor =
        new Evidence(0, seen.alpha(), seen.problems(), 9, 9, 0, 0, 0, 0, 0, 0, 0.5, List.of());
    assertThat(Gate.decide(noAnchor, POLICY)).isInstanceOf(Verdict.Insufficient.class);
  }

  @Test
  void simulatedNightsKeepTheirPromise() throws InterruptedException {
    GateSimulation.Result result = new GateSimulation(POLICY, 7).run(400, 2, Console.silent());
    assertThat(result.falsePromotionRate()).isLessThanOrEqualTo(0.01);
    assertThat(result.powerAt30Percent()).isGreaterThanOrEqualTo(0.90);
    assertThat(result.promotedWith3PointLoss()).isLessThanOrEqualTo(0.01);
    assertThat(result.meanProblemsUsedFractionAt50Percent()).isLessThanOrEqualTo(0.60);
  }

  private static SequentialGate play(IntFunction<Paired> problem, int most) {
    SequentialGate gate = new SequentialGate(POLICY, 0, List.of(), 1);
    anchor(gate);
    for (int i = 0; i < most && !gate.settled(); i++) {
      gate.observe(problem.apply(i));
    }
    return gate;
  }

  private static void anchor(SequentialGate gate) {
    for (int i = 0; i < 30; i++) {
      gate.observeAnchor(new Paired(1, 1, 16, true, true));
    }
  }
}
