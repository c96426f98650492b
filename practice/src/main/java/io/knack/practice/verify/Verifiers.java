package io.knack.practice.verify;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.knack.contracts.VerifierSpec;
import io.knack.contracts.stage.PlanException;
import io.knack.llm.LanguageModel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Makes verifiers of their specs, one for each different spec, and closes them all.
 *
 * <p>Kinds and options, each with its default:
 *
 * <ul>
 *   <li>{@code exact}: extract (conclusion | last_line | whole), ignore_case (true)
 *   <li>{@code numeric}: tolerance (0.000001), relative_tolerance (0), units (ignore | same |
 *       convert)
 *   <li>{@code regex}: pattern, mode (find | match), extract (whole), timeout (200ms)
 *   <li>{@code json_schema}: schema or schema_file, equals_reference (false)
 *   <li>{@code choice}: choices (ABCDE)
 *   <li>{@code command}: command (words, or a JSON array of them), mode (once | lines), timeout
 *       (10s), memory (1g; 0 for none), workers (1)
 *   <li>{@code judge}: rubric, form (instruct | short), calibration (JSON lines of problem, answer,
 *       reference, right), min_accuracy (0.75); or, where it was calibrated before, judged_by,
 *       threshold and accuracy, as {@link JudgeTrial} gives them
 *   <li>{@code agreement}: votes (3)
 * </ul>
 */
public final class Verifiers implements AutoCloseable {
  private final Path directory;
  private final @Nullable LanguageModel judge;
  private final Map<VerifierSpec, Verifier> made = new HashMap<>();

  /**
   * @param directory where a command runs, and where relative paths in options start
   * @param judge the model that {@code judge} asks; null for none
   */
  public Verifiers(Path directory, @Nullable LanguageModel judge) {
    this.directory = directory;
    this.judge = judge;
  }

  /** The verifier of a spec, shared by all who ask for the same; closed with this. */
  public synchronized Verifier verifier(VerifierSpec spec) {
    return made.computeIfAbsent(spec, s -> of(s, directory, judge));
  }

  @Override
  public synchronized void close() {
    made.values().forEach(Verifier::close);
    made.clear();
  }

  /** A verifier that needs no language model. */
  public static Verifier of(VerifierSpec spec) {
    return of(spec, Path.of("").toAbsolutePath(), null);
  }

  /**
   * @throws PlanException naming every unknown kind or option
   */
  public static Verifier of(VerifierSpec spec, Path directory, @Nullable LanguageModel judge) {
    Options options = new Options(spec);
    return switch (spec.kind()) {
      case "exact" -> checked(options, new ExactVerifier(options));
      case "numeric" -> checked(options, new NumericVerifier(options));
      case "regex" -> checked(options, new RegexVerifier(options));
      case "json_schema" -> checked(options, new JsonSchemaVerifier(options, directory));
      case "choice" -> checked(options, new ChoiceVerifier(options));
      case "agreement" -> checked(options, new AgreementVerifier(options));
      case "command" -> command(options, directory);
      case "judge" -> judge(options, directory, judge);
      default ->
          throw new PlanException(
              "no verifier is called '"
                  + spec.kind()
                  + "'; choose one of exact, numeric, regex, json_schema, choice, command, judge,"
                  + " agreement");
    };
  }

  private static Verifier checked(Options options, Verifier verifier) {
    options.done();
    return verifier;
  }

  /** Whether a command is started for each answer or kept running. */
  enum CommandMode {
    ONCE,
    LINES
  }

  private static Verifier command(Options options, Path directory) {
    CommandMode mode = options.choice("mode", CommandMode.ONCE, CommandMode.class);
    List<String> words = words(options, options.required("command"));
    Duration timeout = options.duration("timeout", Duration.ofSeconds(10));
    long memory = options.bytes("memory", CommandProcess.memoryIsVisible() ? 1L << 30 : 0);
    if (memory > 0 && !CommandProcess.memoryIsVisible()) {
      options.problem("memory", Long.toString(memory), "0: this system does not tell memory");
    }
    CommandProcess process =
        new CommandProcess(words, directory, timeout, memory, options.count("workers", 1, 1, 256));
    options.done();
    return switch (mode) {
      case ONCE -> new OnceCommandVerifier(process);
      case LINES -> new LinesCommandVerifier(process);
    };
  }

  private static List<String> words(Options options, String command) {
    String text = command.strip();
    if (!text.startsWith("[")) {
      return List.of(text.split("\\s+"));
    }
    try {
      List<String> words =
          new ArrayList<>(List.of(new JsonMapper().readValue(text, String[].class)));
      if (!words.isEmpty()) {
        return words;
      }
    } catch (JsonProcessingException e) {
      // Reported below.
    }
    options.problem("command", command, "words, or a JSON array of strings that is not empty");
    return List.of(text);
  }

  /**
   * Refuses a judge's options that make no judge; how it is calibrated is not asked.
   *
   * @return the answers of its calibration file; empty when it names none
   */
  public static List<KnownAnswer> checkJudge(VerifierSpec spec, Path directory) {
    Options options = new Options(spec);
    for (String given : List.of("judged_by", "threshold", "accuracy")) {
      if (spec.options().containsKey(given)) {
        options.problem(given, "a value", "none: it comes from the calibration");
      }
    }
    JudgeVerifier.Settings settings = JudgeVerifier.settings(options, directory);
    options.done();
    return settings.known();
  }

  /**
   * Tries a judge on answers whose outcome is known, at least {@value JudgeVerifier#MIN_OF_EACH}
   * right and as many wrong ones.
   *
   * @throws io.knack.contracts.stage.TemporaryException when the model does not answer
   */
  public static JudgeTrial tried(
      VerifierSpec spec, Path directory, LanguageModel model, List<KnownAnswer> known) {
    Options options = new Options(spec);
    JudgeVerifier.Settings settings = JudgeVerifier.settings(options, directory);
    options.done();
    return new JudgeVerifier(model, settings.with(known)).trial(spec);
  }

  private static Verifier judge(Options options, Path directory, @Nullable LanguageModel model) {
    JudgeVerifier.Settings settings = JudgeVerifier.settings(options, directory);
    if (settings.known().isEmpty() && settings.judgedBy() == null) {
      options.problem("calibration", "nothing", "a file of answers whose outcome is known");
    }
    options.done();
    if (model == null) {
      throw new PlanException("verifier judge needs a judge model in the plan, and there is none");
    }
    return new JudgeVerifier(model, settings);
  }
}
