package io.knack.trainer;

import io.knack.contracts.plan.Plans;
import io.knack.contracts.stage.ContractException;
import io.knack.contracts.store.Digests;
import io.knack.llm.checkpoint.ModelConfig;
import io.knack.llm.lora.AdapterConfig;
import io.knack.llm.train.Compute;
import io.knack.llm.train.FrozenWeights;
import io.knack.llm.train.LoraLayout;
import io.knack.llm.train.MemoryPlan;
import io.knack.llm.train.TokenSequence;
import io.knack.llm.train.TrainableDecoder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.TreeMap;

/**
 * Trains any number of LoRA adapters over one frozen base in one pass, and writes each as a PEFT
 * directory.
 */
public final class LoraTraining {
  private LoraTraining() {}

  /**
   * How one adapter ended.
   *
   * @param loss of the last step, in nats per weighted token
   * @param bestValidationLoss infinite when there was no validation
   */
  public record Outcome(
      String name,
      Path directory,
      long examples,
      long steps,
      int skipped,
      double loss,
      double bestValidationLoss,
      String dataDigest) {}

  /**
   * Trains, going on from the newest checkpoint below {@code work} when it is of the same plan,
   * base and data.
   *
   * @param model the base's checkpoint directory
   * @param out each adapter goes to {@code out.resolve(task.name())}; a single task named "" to
   *     {@code out} itself
   * @param work checkpoints, removed at the end
   */
  public static List<Outcome> run(
      TrainPlan plan,
      Path model,
      List<AdapterTask> tasks,
      Path out,
      Path work,
      TrainingListener listener)
      throws IOException, InterruptedException {
    ModelConfig shape = ModelConfig.of(model);
    Compute compute = plan.compute();
    String base =
        plan.baseModelName() != null
            ? plan.baseModelName()
            : model.toAbsolutePath().normalize().getFileName().toString();
    AdapterConfig config = plan.adapterConfig(base);
    LoraLayout layout = LoraLayout.of(shape, config);
    List<ExampleLane> lanes = new ArrayList<>();
    List<String> digests = new ArrayList<>();
    float[][] rows = new float[tasks.size()][];
    for (int i = 0; i < rows.length; i++) {
      AdapterTask task = tasks.get(i);
      check(task, shape);
      lanes.add(
          new ExampleLane(task.name(), on(i, task.examples()), on(i, task.validation()), plan));
      digests.add(digest(task));
      rows[i] =
          task.initAdapter() == null
              ? layout.initial(plan.init(), plan.seed() * 31 + task.name().hashCode())
              : PeftFiles.read(task.initAdapter(), layout);
    }
    MessageDigest start = Digests.newSha256();
    start.update(Plans.canonicalJson(plan).getBytes(java.nio.charset.StandardCharsets.UTF_8));
    start.update(
        (shape + "\n" + digests + "\n" + compute)
            .getBytes(java.nio.charset.StandardCharsets.UTF_8));
    for (float[] row : rows) {
      java.nio.ByteBuffer bytes = java.nio.ByteBuffer.allocate(4 * row.length);
      bytes.asFloatBuffer().put(row);
      start.update(bytes);
    }
    TrainingCheckpoints checkpoints =
        new TrainingCheckpoints(work, HexFormat.of().formatHex(start.digest()));
    OptionalInt stored = checkpoints.microTokens();
    int microRows;
    if (stored.isPresent()) {
      microRows = stored.getAsInt();
    } else {
      MicroRows chosen =
          MicroRows.choose(
              plan, shape, compute, layout, tasks, MemoryPlan.available(compute.device()));
      listener.planned(
          compute.device()
              + ", memory: "
              + chosen.memory().words()
              + "; micro-batches of "
              + chosen.rows()
              + " tokens");
      microRows = chosen.rows();
    }
    checkpoints.microTokens(microRows);
    try (FrozenWeights frozen = FrozenWeights.load(model, shape, compute);
        TrainableDecoder decoder = TrainableDecoder.lora(shape, compute, frozen, layout, rows)) {
      List<LaneState> states =
          new TrainingLoop(decoder, plan.loop(microRows), lanes, checkpoints, listener).run();
      List<Outcome> outcomes = new ArrayList<>();
      for (int i = 0; i < tasks.size(); i++) {
        AdapterTask task = tasks.get(i);
        LaneState state = states.get(i);
        Path place = out.resolve(task.name());
        Files.createDirectories(place);
        PeftFiles.write(place, layout, config, plan.baseRevision(), decoder.parameters(i));
        Outcome outcome =
            new Outcome(
                task.name(),
                place,
                task.examples().size(),
                state.step,
                state.skipped,
                state.lastLoss,
                state.bestLoss,
                digests.get(i));
        ModelCard.write(place, plan, base, outcome);
        outcomes.add(outcome);
      }
      checkpoints.clear();
      return outcomes;
    }
  }

  private static void check(AdapterTask task, ModelConfig shape) {
    if (task.examples().isEmpty()) {
      throw new ContractException(
          "adapter '" + task.name() + "' has no example to learn from; give it data");
    }
    for (TokenSequence sequence : task.examples()) {
      if (sequence.length() > shape.maxPositions()) {
        throw new ContractException(
            "an example of adapter '"
                + task.name()
                + "' has "
                + sequence.length()
                + " tokens, the model takes "
                + shape.maxPositions()
                + "; lower max_length");
      }
      for (int window : shape.windows()) {
        if (window > 0 && sequence.length() > window) {
          throw new ContractException(
              "an example of "
                  + sequence.length()
                  + " tokens does not fit the model's attention window of "
                  + window
                  + ", beyond which training is not supported; lower max_length");
        }
      }
    }
  }

  private static List<TokenSequence> on(int adapter, List<TokenSequence> sequences) {
    return sequences.stream().map(s -> new TokenSequence(s.ids(), s.weights(), adapter)).toList();
  }

  private static String digest(AdapterTask task) {
    MessageDigest digest = Digests.newSha256();
    for (List<TokenSequence> part : List.of(task.examples(), task.validation())) {
      for (TokenSequence s : part) {
        java.nio.ByteBuffer bytes = java.nio.ByteBuffer.allocate(8 * s.length() + 4);
        bytes.putInt(s.length());
        for (int i = 0; i < s.length(); i++) {
          bytes.putInt(s.ids()[i]).putFloat(s.weights()[i]);
        }
        digest.update(bytes.flip());
      }
      digest.update((byte) 1);
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  /** Tensor names and shapes of an adapter, for callers that read it back. */
  static Map<String, List<Long>> shapes(LoraLayout layout) {
    Map<String, List<Long>> shapes = new TreeMap<>();
    for (LoraLayout.Matrix matrix : layout.matrices()) {
      shapes.put(matrix.tensor(), List.of((long) matrix.rows(), (long) matrix.columns()));
    }
    return shapes;
  }
}
