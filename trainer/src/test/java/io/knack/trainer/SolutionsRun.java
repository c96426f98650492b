package io.knack.trainer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.knack.contracts.plan.Plans;
import io.knack.contracts.store.Jsons;
import io.knack.llm.checkpoint.ModelConfig;
import io.knack.llm.train.SmallDecoders;
import io.knack.llm.train.TokenSequence;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * A real run on real text, by hand: model solutions of grade-school problems, correct ones alone,
 * every tenth question held out. A small decoder is trained in full on the text and then adapted to
 * the solutions. The figures stand in docs/log.md.
 *
 * <p>Arguments: the JSON lines, a directory with {@code tokenizer.json} (see {@code
 * src/test/python/solutions_tokenizer.py}), steps in full, steps of the adapter.
 */
final class SolutionsRun {
  private SolutionsRun() {}

  private static final int VOCABULARY = 1024;

  public static void main(String[] arguments) throws Exception {
    Path base = Path.of(arguments[1]);
    ModelConfig shape =
        SmallDecoders.llama(
            VOCABULARY, 192, 4, 6, 3, 512, ModelConfig.Embeddings.TIED, 512, List.of(0));
    LlamaConfigJson.write(base, shape);
    Path train = base.resolve("train.jsonl");
    Path held = base.resolve("held.jsonl");
    split(Path.of(arguments[0]), train, held);

    TrainPlan plan =
        Plans.read(
            TrainPlan.class,
            null,
            List.of(
                "max_length=400",
                "learning_rate=0.001",
                "steps=" + arguments[3],
                "rank=16",
                "batch_size=16",
                "validate_every=50",
                "warmup_steps=20"));
    List<TokenSequence> learnt;
    List<TokenSequence> unseen;
    try (TrainingData data = new TrainingData(base, plan)) {
      learnt = data.read(train).sequences();
      unseen = data.read(held).sequences();
    }
    System.out.printf(
        "%d solutions to learn from, %d held out; unigram entropy of the held-out solutions %.3f%n",
        learnt.size(), unseen.size(), unigram(learnt, unseen));

    FullPlan full =
        Plans.read(
            FullPlan.class,
            null,
            List.of(
                "steps=" + arguments[2],
                "batch_size=32",
                "learning_rate=0.003",
                "warmup_steps=50",
                "micro_tokens=512"));
    List<TokenSequence> whole = learnt.stream().map(SolutionsRun::everyToken).toList();
    long started = System.nanoTime();
    FullTraining.Outcome outcome =
        FullTraining.run(
            full,
            shape,
            n -> whole.get((int) ((n * 7919) % whole.size())),
            "solutions",
            base.resolve("work"),
            base,
            new TrainingListener() {
              @Override
              public void step(StepReport report) {
                if (report.step() % 50 == 0) {
                  System.out.printf(
                      "full, step %d: loss %.3f, %.0f tokens/s%n",
                      report.step(), report.loss(), report.tokensPerSecond());
                }
              }
            });
    System.out.printf(
        "full: %d weights, %d steps, %.0f s, last loss %.3f%n",
        outcome.parameters(), outcome.steps(), (System.nanoTime() - started) / 1e9, outcome.loss());

    TrainingListener listener =
        new TrainingListener() {
          @Override
          public void validated(String lane, long step, double loss) {
            System.out.printf("%s, step %d: held-out loss %.3f%n", lane, step, loss);
          }
        };
    TrainPlan untouched =
        Plans.read(
            TrainPlan.class, null, List.of("learning_rate=0", "steps=1", "validate_every=1"));
    LoraTraining.run(
        untouched,
        base,
        List.of(new AdapterTask("base", learnt, unseen, null)),
        base.resolve("out"),
        base.resolve("work"),
        listener);
    LoraTraining.run(
        plan,
        base,
        List.of(new AdapterTask("adapter", learnt, unseen, null)),
        base.resolve("out"),
        base.resolve("work"),
        listener);
  }

  private static void split(Path from, Path train, Path held) throws Exception {
    StringBuilder[] out = {new StringBuilder(), new StringBuilder()};
    List<String> lines = Files.readAllLines(from);
    for (int i = 0; i < lines.size(); i++) {
      JsonNode row = Jsons.mapper().readTree(lines.get(i));
      for (JsonNode solution : row) {
        if (solution.path("is_correct").asBoolean()) {
          ObjectNode example = Jsons.mapper().createObjectNode();
          example.put("prompt", row.path("question").asText() + "\n");
          example.put("completion", solution.path("solution").asText());
          out[i % 10 == 9 ? 1 : 0].append(example).append('\n');
        }
      }
    }
    Files.writeString(train, out[0]);
    Files.writeString(held, out[1]);
  }

  private static TokenSequence everyToken(TokenSequence s) {
    float[] weights = new float[s.length()];
    java.util.Arrays.fill(weights, 1, weights.length, 1);
    return new TokenSequence(s.ids(), weights, 0);
  }

  /** Nats a token of the held-out solutions under the frequencies of those learnt from. */
  private static double unigram(List<TokenSequence> learnt, List<TokenSequence> unseen) {
    double[] counts = new double[VOCABULARY];
    java.util.Arrays.fill(counts, 1);
    double total = VOCABULARY;
    for (TokenSequence s : learnt) {
      for (int i = 1; i < s.length(); i++) {
        if (s.weights()[i] > 0) {
          counts[s.ids()[i]]++;
          total++;
        }
      }
    }
    double sum = 0;
    long seen = 0;
    for (TokenSequence s : unseen) {
      for (int i = 1; i < s.length(); i++) {
        if (s.weights()[i] > 0) {
          sum -= Math.log(counts[s.ids()[i]] / total);
          seen++;
        }
      }
    }
    return sum / seen;
  }
}
