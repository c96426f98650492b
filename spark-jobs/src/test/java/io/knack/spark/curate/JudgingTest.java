package io.knack.spark.curate;

import static org.assertj.core.api.Assertions.assertThat;

import io.knack.contracts.Attempt;
import io.knack.contracts.Budget;
import io.knack.contracts.Interaction;
import io.knack.contracts.Message;
import io.knack.contracts.Outcome;
import io.knack.contracts.VerifierSpec;
import io.knack.contracts.id.ClusterId;
import io.knack.contracts.id.InteractionId;
import io.knack.contracts.plan.Plans;
import io.knack.llm.Completion;
import io.knack.llm.FinishReason;
import io.knack.llm.GenerationListener;
import io.knack.llm.GenerationRequest;
import io.knack.llm.GenerationSession;
import io.knack.llm.LanguageModel;
import io.knack.llm.Prompt;
import io.knack.llm.Sample;
import io.knack.llm.TokenUsage;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

/** A judge on a log of which some outcomes are known; the model is scripted. */
final class JudgingTest {
  private static final CuratePlan PLAN =
      Plans.read(
          CuratePlan.class,
          null,
          List.of(
              "verifiers=[{kind: judge, options: {rubric: 'Is it good?'}}]",
              "endpoint=http://localhost:1/v1",
              "endpoint_model=scripted"));

  private final List<String> said = new ArrayList<>();

  @Test
  void aJudgeThatTellsRightFromWrongJudgesWhatNoOneChecked() {
    Scripted model = new Scripted(prompt -> prompt.contains("A: good") ? "Score: 8" : "Score: 3");
    Judging judging = new Judging(PLAN, model, said::add);
    List<Candidate> before = candidates(40);
    List<Candidate> after = judging.judged(before);

    for (int i = 0; i < after.size(); i++) {
      Attempt attempt = after.get(i).interaction().attempts().get(0);
      Outcome right = i % 2 == 0 ? Outcome.VERIFIED : Outcome.FAILED;
      assertThat(attempt.outcome()).as("attempt %d", i).isEqualTo(right);
      VerifierSpec spec = after.get(i).verifier();
      assertThat(spec).isNotNull();
      assertThat(spec.options())
          .containsEntry("judged_by", "scripted")
          .containsEntry("accuracy", "1.0000")
          .containsEntry("rubric", "Is it good?")
          .containsKey("threshold");
      assertThat(after.get(i).verifierCalls()).isEqualTo(i < 40 ? 0 : 1);
    }
    // 40 known and 60 unknown answers, in both orders.
    assertThat(judging.figures())
        .containsEntry("judge_model", "scripted")
        .containsEntry("judge_known_right", 20L)
        .containsEntry("judge_known_wrong", 20L)
        .containsEntry("judge_accuracy", 1.0)
        .containsEntry("judge_calls", 200L)
        .containsEntry("judge_tokens", 200L * 11);
    assertThat(said)
        .containsExactly(
            "curate: the judge scripted tells right from wrong in 100% of 40 known answers, needed are"
                + " 75%");
  }

  @Test
  void oneThatCannotTellJudgesNothing() {
    Scripted model = new Scripted(prompt -> "Score: 8");
    Judging judging = new Judging(PLAN, model, said::add);
    List<Candidate> after = judging.judged(candidates(40));

    assertThat(after).allMatch(candidate -> candidate.verifier() == null);
    assertThat(after.get(60).interaction().attempts().get(0).outcome()).isEqualTo(Outcome.UNKNOWN);
    assertThat(model.asked).isEqualTo(80);
    assertThat(judging.figures().get("judge_verdict"))
        .isEqualTo("refused: tells right from wrong in 50% of 40 known answers, needed are 75%");
    assertThat(said.get(0)).contains("it judges nothing: use a better model or rubric");
  }

  @Test
  void withoutEnoughKnownOutcomesItIsNotAsked() {
    Scripted model = new Scripted(prompt -> "Score: 8");
    Judging judging = new Judging(PLAN, model, said::add);
    List<Candidate> after = judging.judged(candidates(8));

    assertThat(after).allMatch(candidate -> candidate.verifier() == null);
    assertThat(model.asked).isZero();
    assertThat(said.get(0))
        .contains("of its 100 problems the log knows 4 right and 4 wrong answers")
        .contains("--map verified=")
        .contains("calibration");
  }

  /** A hundred problems, good and poor answers in turns, the first of known outcome. */
  private static List<Candidate> candidates(int known) {
    VerifierSpec spec = PLAN.verifiers().get(0).spec();
    List<Candidate> all = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      String answer = i % 2 == 0 ? "A: good" : "A: poor";
      Outcome outcome =
          i >= known ? Outcome.UNKNOWN : i % 2 == 0 ? Outcome.VERIFIED : Outcome.FAILED;
      Interaction interaction =
          new Interaction(
              new InteractionId("i" + i),
              Instant.parse("2026-03-01T00:00:00Z").plusSeconds(i),
              Interaction.NO_TENANT,
              null,
              null,
              List.of(Message.user("problem " + i)),
              null,
              answer,
              null,
              List.of(new Attempt(null, answer, 1, 0, 1, null, outcome)),
              outcome,
              null,
              null,
              Budget.ZERO,
              null,
              null,
              null,
              null,
              Map.of());
      all.add(new Candidate(interaction, new ClusterId("c"), spec, 0, 0, 0));
    }
    return all;
  }

  /** Answers every request at once. */
  private static final class Scripted implements LanguageModel {
    private final Function<String, String> script;
    private int asked;

    Scripted(Function<String, String> script) {
      this.script = script;
    }

    @Override
    public String name() {
      return "scripted";
    }

    @Override
    public int maxContext() {
      return Integer.MAX_VALUE;
    }

    @Override
    public int countTokens(String text) {
      return text.length();
    }

    @Override
    public GenerationSession open() {
      List<Runnable> waiting = new ArrayList<>();
      return new GenerationSession() {
        @Override
        public Handle submit(GenerationRequest request, GenerationListener listener) {
          waiting.add(() -> listener.completed(reply(request)));
          return () -> {};
        }

        @Override
        public void run() {
          waiting.forEach(Runnable::run);
          waiting.clear();
        }

        @Override
        public void close() {}
      };
    }

    private Completion reply(GenerationRequest request) {
      asked++;
      String prompt =
          request.prompt() instanceof Prompt.Chat chat
              ? chat.messages().toString()
              : request.prompt().toString();
      Sample sample = new Sample(0, List.of(), script.apply(prompt), null, FinishReason.STOP, 1);
      return new Completion(List.of(), null, List.of(sample), new TokenUsage(10, 0, 1, 5));
    }

    @Override
    public void close() {}
  }
}
