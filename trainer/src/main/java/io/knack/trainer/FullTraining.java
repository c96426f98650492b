package io.knack.trainer;

import io.knack.contracts.plan.Plans;
import io.knack.contracts.store.Digests;
import io.knack.llm.checkpoint.ModelConfig;
import io.knack.llm.kernel.DType;
import io.knack.llm.train.Compute;
import io.knack.llm.train.FlatWeights;
import io.knack.llm.train.TokenSequence;
import io.knack.llm.train.TrainableDecoder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Trains all weights of a small decoder from random ones and writes a Hugging Face checkpoint. */
public final class FullTraining {
  private FullTraining() {}

  /** Endless examples; pure, so that a run can be resumed: the n-th is always the same. */
  @FunctionalInterface
  public interface ExampleSource {
    /**
     * @param n from 0
     * @return a sequence for adapter 0, no longer than the model's positions
     */
    TokenSequence example(long n);
  }

  /**
   * How a run ended.
   *
   * @param loss of the last step, in nats per weighted token
   */
  public record Outcome(long steps, double loss, long parameters) {}

  /**
   * Trains, going on from the newest checkpoint below {@code work} if it is of the same plan, shape
   * and data; afterwards bit for bit what an uninterrupted run gives. Writes {@code config.json},
   * {@code generation_config.json} and {@code model.safetensors} to {@code out}; the tokenizer's
   * files are the caller's to add.
   *
   * @param dataIdentity names the data: the generator's version and seed, or a digest
   * @param work checkpoints, removed at the end
   */
  public static Outcome run(
      FullPlan plan,
      ModelConfig shape,
      ExampleSource source,
      String dataIdentity,
      Path work,
      Path out,
      TrainingListener listener)
      throws IOException, InterruptedException {
    int workers = plan.workers() > 0 ? plan.workers() : Runtime.getRuntime().availableProcessors();
    Compute compute = Compute.of(plan.device(), DType.parse(plan.dtype()), workers);
    FlatWeights flat = FlatWeights.of(shape);
    String fingerprint =
        Digests.sha256(
            String.join("\n", Plans.canonicalJson(plan), shape.toString(), dataIdentity)
                + "\n"
                + workers);
    try (TrainableDecoder decoder =
        TrainableDecoder.full(shape, compute, flat.random(plan.initDeviation(), plan.seed()))) {
      TrainingCheckpoints checkpoints = new TrainingCheckpoints(work, fingerprint);
      Lane lane =
          new Lane() {
            @Override
            public String name() {
              return "base";
            }

            @Override
            public long steps() {
              return plan.steps();
            }

            @Override
            public List<TokenSequence> batch(long step) {
              List<TokenSequence> batch = new ArrayList<>();
              for (int i = 0; i < plan.batchSize(); i++) {
                batch.add(source.example(step * plan.batchSize() + i));
              }
              return batch;
            }
          };
      LaneState state =
          new TrainingLoop(decoder, plan.loop(), List.of(lane), checkpoints, listener).run().get(0);
      write(out, shape, flat, decoder.parameters(0));
      checkpoints.clear();
      return new Outcome(state.step, state.lastLoss, flat.size());
    }
  }

  static void write(Path out, ModelConfig shape, FlatWeights flat, float[] weights)
      throws IOException {
    Files.createDirectories(out);
    Map<String, float[]> tensors = new TreeMap<>();
    Map<String, List<Long>> shapes = new TreeMap<>();
    for (FlatWeights.Range range : flat.ranges()) {
      tensors.put(
          range.name(),
          java.util.Arrays.copyOfRange(weights, range.offset(), range.offset() + range.size()));
      shapes.put(
          range.name(),
          range.columns() > 0
              ? List.of((long) range.rows(), (long) range.columns())
              : List.of((long) range.rows()));
    }
    Tensors.write(out.resolve("model.safetensors"), tensors, shapes);
    LlamaConfigJson.write(out, shape);
  }
}
