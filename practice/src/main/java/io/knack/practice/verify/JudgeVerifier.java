package io.knack.practice.verify;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.knack.contracts.Budget;
import io.knack.contracts.VerifierSpec;
import io.knack.contracts.stage.ContractException;
import io.knack.contracts.stage.PlanException;
import io.knack.contracts.stage.TemporaryException;
import io.knack.llm.Completion;
import io.knack.llm.GenerationListener;
import io.knack.llm.GenerationRequest;
import io.knack.llm.GenerationSession;
import io.knack.llm.LanguageModel;
import io.knack.llm.Sampling;
import io.knack.practice.prompt.PromptForm;
import io.knack.practice.prompt.Prompts;
import io.knack.practice.prompt.Prompts.JudgeOrder;
import io.knack.practice.prompt.Replies;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;
import org.jspecify.annotations.Nullable;

/**
 * A language model with a rubric. Each answer is judged twice, with the parts in opposite orders,
 * and the lower judgement counts, since judges favour what stands first (Zheng et al., "Judging
 * LLM-as-a-Judge", 2023). Nothing relies on it before it has judged answers whose outcome is known:
 * the threshold comes from them, and a judge that tells right from wrong too seldom is refused. A
 * spec that names who was calibrated, and with what threshold, is relied on with that model only.
 */
final class JudgeVerifier implements Verifier {
  private static final int REPLY_TOKENS = 16;
  static final int MIN_OF_EACH = 10;
  private static final JsonMapper JSON = new JsonMapper();

  private final LanguageModel model;
  private final Settings settings;
  private @Nullable JudgeCalibration calibration;

  /** What a plan says. */
  record Settings(
      String rubric,
      PromptForm form,
      List<KnownAnswer> known,
      double minAccuracy,
      @Nullable String judgedBy,
      double threshold,
      double accuracy) {
    Settings with(List<KnownAnswer> answers) {
      return new Settings(rubric, form, answers, minAccuracy, null, threshold, accuracy);
    }
  }

  /**
   * @throws PlanException when another model was calibrated
   */
  JudgeVerifier(LanguageModel model, Settings settings) {
    this.model = model;
    this.settings = settings;
    if (settings.judgedBy() != null) {
      if (!settings.judgedBy().equals(model.name())) {
        throw new PlanException(
            "answers are judged by the model "
                + settings.judgedBy()
                + ", which was calibrated on known outcomes, and this plan names "
                + model.name()
                + "; name the same model in all stages, or run ./knack curate with this one");
      }
      calibration = new JudgeCalibration(settings.threshold(), settings.accuracy());
    }
  }

  static Settings settings(Options options, Path directory) {
    String rubric = options.text("rubric", "The answer is right when its conclusion is right.");
    PromptForm form = options.choice("form", PromptForm.INSTRUCT, PromptForm.class);
    double minAccuracy = options.number("min_accuracy", 0.75, 0.5, 1);
    String judgedBy = options.optional("judged_by");
    double threshold = options.number("threshold", 1, 0, 1);
    double accuracy = options.number("accuracy", 0, 0, 1);
    String file = options.text("calibration", "");
    @Nullable List<KnownAnswer> known =
        file.isEmpty() ? List.of() : options.read("calibration", file, f -> read(directory, f));
    return new Settings(
        rubric,
        form,
        known == null ? List.of() : known,
        minAccuracy,
        judgedBy,
        threshold,
        accuracy);
  }

  private static List<KnownAnswer> read(Path directory, String file) {
    List<KnownAnswer> known = new ArrayList<>();
    int right = 0;
    try {
      for (String line : Files.readAllLines(directory.resolve(file))) {
        if (line.isBlank()) {
          continue;
        }
        JsonNode node = JSON.readTree(line);
        if (!node.path("problem").isTextual()
            || !node.path("answer").isTextual()
            || !node.path("right").isBoolean()) {
          throw new IllegalArgumentException(
              "each line has problem, answer and right; found " + Checked.brief(line));
        }
        JsonNode reference = node.path("reference");
        known.add(
            new KnownAnswer(
                new Check(
                    node.path("problem").asText(),
                    node.path("answer").asText(),
                    reference.isTextual() ? reference.asText() : null),
                node.path("right").booleanValue()));
        right += node.path("right").booleanValue() ? 1 : 0;
      }
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException("not JSON lines: " + e.getOriginalMessage(), e);
    } catch (IOException e) {
      throw new IllegalArgumentException("cannot be read", e);
    }
    if (Math.min(right, known.size() - right) < MIN_OF_EACH) {
      throw new IllegalArgumentException(
          "it takes "
              + MIN_OF_EACH
              + " right and "
              + MIN_OF_EACH
              + " wrong answers, found "
              + right
              + " and "
              + (known.size() - right));
    }
    return known;
  }

  @Override
  public boolean asksModel() {
    return true;
  }

  @Override
  public Verification verify(Check check) {
    return verifyAll(List.of(check)).get(0);
  }

  @Override
  public synchronized List<Verification> verifyAll(List<Check> checks) {
    Budget extra = Budget.ZERO;
    JudgeCalibration trusted = calibration;
    if (trusted == null) {
      List<Judged> judged = judge(settings.known().stream().map(KnownAnswer::check).toList());
      trusted = calibrated(judged);
      for (Judged j : judged) {
        extra = extra.plus(j.cost());
      }
      calibration = trusted;
    }
    List<Verification> said = new ArrayList<>();
    for (Judged judged : judge(checks)) {
      // What calibrating cost is booked on the first answer that needed it.
      Budget cost = judged.cost().plus(extra);
      extra = Budget.ZERO;
      if (judged.fault() != null) {
        said.add(new Verification(0, "not judged", cost, judged.fault()));
      } else {
        double value = judged.value();
        said.add(
            new Verification(
                value >= trusted.threshold() ? 1 : value / 2,
                String.format("judged %.2f, threshold %.2f", value, trusted.threshold()),
                cost));
      }
    }
    return said;
  }

  /** Where the line is, once it is shown that there is one. */
  private JudgeCalibration calibrated(List<Judged> judged) {
    judged.forEach(JudgeVerifier::answered);
    JudgeCalibration found = found(judged);
    if (found.accuracy() < settings.minAccuracy()) {
      throw new ContractException(
          String.format(
              "the judge tells right from wrong in %.0f%% of %d known answers, needed are %.0f%%;"
                  + " use a better model or rubric, or a verifier that is not a model",
              100 * found.accuracy(), settings.known().size(), 100 * settings.minAccuracy()));
    }
    return found;
  }

  private JudgeCalibration found(List<Judged> judged) {
    return JudgeCalibration.of(settings.known(), judged.stream().map(Judged::value).toList());
  }

  /**
   * How the judge does on its known answers, whether that is enough or not.
   *
   * @param spec whose options the judge was made of
   * @throws TemporaryException when the model did not answer
   * @throws PlanException when it refuses, as it will again
   */
  JudgeTrial trial(VerifierSpec spec) {
    List<Judged> judged = judge(settings.known().stream().map(KnownAnswer::check).toList());
    Budget cost = Budget.ZERO;
    for (Judged one : judged) {
      answered(one);
      cost = cost.plus(one.cost());
    }
    JudgeCalibration found = found(judged);
    Map<String, String> options = new HashMap<>(spec.options());
    options.remove("calibration");
    options.put("judged_by", model.name());
    options.put("threshold", Double.toString(found.threshold()));
    options.put("accuracy", String.format(Locale.ROOT, "%.4f", found.accuracy()));
    return new JudgeTrial(
        found.accuracy(), settings.minAccuracy(), cost, new VerifierSpec(spec.kind(), options));
  }

  private static void answered(Judged one) {
    RuntimeException problem = one.problem();
    if (problem == null) {
      return;
    }
    String words = "the judge could not be calibrated: " + one.fault();
    if (problem instanceof PlanException) {
      throw new PlanException(words);
    }
    if (problem instanceof ContractException) {
      throw new ContractException(words, problem);
    }
    throw new TemporaryException(words + "; run it again", problem);
  }

  /**
   * @param problem why there is no judgement
   */
  private record Judged(double value, Budget cost, @Nullable RuntimeException problem) {
    @Nullable String fault() {
      return problem == null ? null : "judge: " + problem.getMessage();
    }
  }

  private List<Judged> judge(List<Check> checks) {
    List<Asked> asked = new ArrayList<>();
    try (GenerationSession session = model.open()) {
      for (Check check : checks) {
        for (JudgeOrder order : JudgeOrder.values()) {
          Asked one = new Asked();
          asked.add(one);
          session.submit(
              new GenerationRequest(
                  settings
                      .form()
                      .render(
                          Prompts.of(settings.form())
                              .judge(
                                  settings.rubric(),
                                  check.problem(),
                                  check.reference(),
                                  check.answer(),
                                  order),
                          null),
                  null,
                  1,
                  Sampling.greedy(REPLY_TOKENS)),
              one);
        }
      }
      session.run();
    }
    int orders = JudgeOrder.values().length;
    List<Judged> judged = new ArrayList<>();
    for (int i = 0; i < checks.size(); i++) {
      double lowest = 1;
      Budget cost = new Budget(0, 0, 0, 0, 1, 0, 0, 0, 0);
      RuntimeException problem = null;
      for (Asked one : asked.subList(i * orders, (i + 1) * orders)) {
        lowest = Math.min(lowest, one.value);
        cost = cost.plus(one.cost);
        problem = problem == null ? one.problem : problem;
      }
      judged.add(new Judged(problem == null ? lowest : 0, cost, problem));
    }
    return judged;
  }

  /** One judgement; a reply without a score counts as 0. */
  private static final class Asked implements GenerationListener {
    private double value;
    private Budget cost = Budget.ZERO;
    private @Nullable RuntimeException problem;

    @Override
    public void completed(Completion completion) {
      OptionalDouble digit =
          completion.samples().isEmpty()
              ? OptionalDouble.empty()
              : Replies.digit(completion.samples().get(0).text());
      value = digit.orElse(0);
      cost =
          new Budget(
              0,
              0,
              0,
              0,
              0,
              1,
              completion.usage().promptTokens() + completion.usage().completionTokens(),
              0,
              completion.usage().wallMicros());
    }

    @Override
    public void failed(RuntimeException why) {
      problem = why;
    }
  }
}
