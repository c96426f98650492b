package io.knack.sandbox;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.knack.contracts.cli.Console;
import io.knack.contracts.cli.Terminal;
import io.knack.contracts.stage.ExitCode;
import io.knack.contracts.store.Jsons;
import io.knack.llm.Completion;
import io.knack.llm.GenerationListener;
import io.knack.llm.GenerationRequest;
import io.knack.llm.GenerationSession;
import io.knack.llm.Prompt;
import io.knack.llm.Sample;
import io.knack.llm.Sampling;
import io.knack.llm.local.LocalModel;
import io.knack.llm.local.LocalOptions;
import io.knack.sandbox.base.Exam;
import io.knack.sandbox.world.Kind;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code sandbox exam}: how well a base model has each skill. */
@Command(
    name = "exam",
    mixinStandardHelpOptions = true,
    description = {
      "Measures a base model of the sandbox skill by skill, at temperature 1: the share of single",
      "samples that pass, and of questions that some sample passes. The figures of docs/sandbox.md."
    },
    footer = {"", "Example: ./knack sandbox exam --model my-model --questions 240 --samples 16"})
public final class ExamCommand implements Callable<Integer> {
  @Spec @Nullable CommandSpec spec;

  @Option(names = "--model", paramLabel = "DIR", description = "checkpoint (default: shipped)")
  @Nullable Path model;

  @Option(names = "--questions", defaultValue = "120", description = "a part (default: 120)")
  int questions = 120;

  @Option(names = "--samples", defaultValue = "16", description = "a question (default: 16)")
  int samples = 16;

  @Option(names = "--part", description = "parts to sit (default: all)")
  List<Exam.Part> parts = new ArrayList<>();

  @Option(names = "--seed", defaultValue = "4242", description = "of the questions")
  long seed = 4242;

  @Option(names = "--json", description = "one JSON document on standard output")
  boolean json;

  /** Passed samples and questions of a part or kind. */
  private static final class Score {
    private long questions;
    private long solved;
    private long samples;
    private long passed;

    void add(int of, int right) {
      questions++;
      samples += of;
      passed += right;
      solved += right > 0 ? 1 : 0;
    }

    double sample() {
      return samples == 0 ? 0 : (double) passed / samples;
    }

    double any() {
      return questions == 0 ? 0 : (double) solved / questions;
    }
  }

  @Override
  public Integer call() throws IOException {
    Map<Exam.Part, Score> byPart = new EnumMap<>(Exam.Part.class);
    Map<Kind, Score> alone = new EnumMap<>(Kind.class);
    List<Exam.Part> chosen = parts.isEmpty() ? List.of(Exam.Part.values()) : parts;
    Exam exam = new Exam(seed);
    Path directory = model == null ? ServeCommand.shippedModel() : model;
    try (LocalModel local = LocalModel.load(directory, LocalOptions.defaults().withMaxBatch(256));
        GenerationSession session = local.open();
        Console.Progress progress =
            Terminal.standard().progress("exam", (long) chosen.size() * questions)) {
      for (Exam.Part part : chosen) {
        for (int n = 0; n < questions; n++) {
          Exam.Question question = exam.question(part, n);
          session.submit(
              new GenerationRequest(
                  new Prompt.Text(question.prompt()),
                  null,
                  samples,
                  Sampling.seeded(96, 1.0, seed + n)),
              new GenerationListener() {
                @Override
                public void completed(Completion completion) {
                  int right = 0;
                  for (Sample sample : completion.samples()) {
                    right += question.accepts(sample.text()) ? 1 : 0;
                  }
                  byPart.computeIfAbsent(part, p -> new Score()).add(samples, right);
                  if (part == Exam.Part.ALONE) {
                    alone.computeIfAbsent(question.kind(), k -> new Score()).add(samples, right);
                  }
                  progress.step(1);
                }
              });
        }
      }
      session.run();
    }
    print(byPart, alone);
    return ExitCode.OK.code();
  }

  private void print(Map<Exam.Part, Score> byPart, Map<Kind, Score> alone) throws IOException {
    PrintWriter out = Objects.requireNonNull(spec).commandLine().getOut();
    if (json) {
      ObjectNode node = Jsons.mapper().createObjectNode();
      ArrayNode list = node.putArray("parts");
      byPart.forEach((part, score) -> put(list.addObject(), "part", part.name(), score));
      ArrayNode kinds = node.putArray("alone_by_kind");
      alone.forEach((kind, score) -> put(kinds.addObject(), "kind", kind.name(), score));
      out.println(Jsons.mapper().writeValueAsString(node));
    } else {
      out.printf("%-16s %9s %13s%n", "part", "a sample", "of " + samples + ", any");
      byPart.forEach((part, score) -> line(out, part.name(), score));
      alone.forEach((kind, score) -> line(out, "  " + kind.name(), score));
    }
    out.flush();
  }

  private static void put(ObjectNode node, String what, String name, Score score) {
    node.put(what, name.toLowerCase(Locale.ROOT));
    node.put("questions", score.questions);
    node.put("sample_passes", score.sample());
    node.put("some_sample_passes", score.any());
  }

  private static void line(PrintWriter out, String name, Score score) {
    out.printf(
        Locale.ROOT,
        "%-16s %8.1f%% %12.1f%%%n",
        name.toLowerCase(Locale.ROOT),
        100 * score.sample(),
        100 * score.any());
  }
}
