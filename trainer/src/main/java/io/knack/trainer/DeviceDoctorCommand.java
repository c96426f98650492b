package io.knack.trainer;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.knack.contracts.cli.HomeOptions;
import io.knack.contracts.stage.TemporaryException;
import io.knack.contracts.store.Jsons;
import io.knack.contracts.store.Scratch;
import io.knack.llm.checkpoint.ModelConfig;
import io.knack.llm.kernel.DType;
import io.knack.llm.lora.AdapterConfig;
import io.knack.llm.train.AdamW;
import io.knack.llm.train.Compute;
import io.knack.llm.train.FlatWeights;
import io.knack.llm.train.FrozenWeights;
import io.knack.llm.train.LoraLayout;
import io.knack.llm.train.MicroBatch;
import io.knack.llm.train.SmallDecoders;
import io.knack.llm.train.TokenSequence;
import io.knack.llm.train.TrainableDecoder;
import io.knack.llm.train.TrainableDecoder.Pass;
import io.knack.llm.train.TrainableDecoder.Update;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code doctor --device}: ten training steps there, held against the same on CPU. */
@Command(
    name = "doctor",
    mixinStandardHelpOptions = true,
    description = {
      "Trains two adapters of a small random model for ten steps on a device and on CPU, in"
          + " float32, and compares losses and weights.",
      "Exit code 0 when they agree within 0.1%%, 75 when the device is not there or does not agree."
    },
    footer = {"", "Example: ./knack doctor --device gpu:0"})
public final class DeviceDoctorCommand implements Callable<Integer> {
  private static final int STEPS = 10;
  private static final double TOLERANCE = 1e-3;
  private static final ModelConfig SHAPE =
      SmallDecoders.llama(256, 64, 2, 4, 2, 128, ModelConfig.Embeddings.TIED, 64, List.of(2));

  @Mixin HomeOptions home = new HomeOptions();

  @Spec private @Nullable CommandSpec spec;

  @Option(
      names = "--device",
      required = true,
      paramLabel = "D",
      description = "cpu, gpu:N or cuda:N")
  private String device = "cpu";

  /** Losses of each step, adapters after the last, seconds. */
  @SuppressWarnings("ArrayRecordComponent")
  private record Run(double[] losses, float[] weights, double seconds) {}

  @Override
  public Integer call() throws IOException, InterruptedException {
    try (Scratch scratch = Scratch.create("knack-doctor")) {
      Path base = scratch.directory();
      FlatWeights flat = FlatWeights.of(SHAPE);
      FullTraining.write(base, SHAPE, flat, flat.random(0.1, 1));
      return compare(train(base, "cpu"), train(base, device));
    }
  }

  private int compare(Run cpu, Run there) throws IOException {
    double worst = 0;
    for (int i = 0; i < STEPS; i++) {
      worst = Math.max(worst, Math.abs(there.losses()[i] / cpu.losses()[i] - 1));
    }
    double apart = 0;
    for (int i = 0; i < cpu.weights().length; i++) {
      apart = Math.max(apart, Math.abs(there.weights()[i] - cpu.weights()[i]));
    }
    // Not a number is not an agreement.
    boolean agree = worst <= TOLERANCE && apart <= TOLERANCE;
    PrintWriter out = Objects.requireNonNull(spec).commandLine().getOut();
    if (home.json) {
      ObjectNode result = Jsons.mapper().createObjectNode();
      result.put("device", device).put("steps", STEPS).put("agrees", agree);
      result.put("largest_relative_loss_difference", worst);
      result.put("largest_weight_difference", apart);
      result.put("seconds", there.seconds()).put("cpu_seconds", cpu.seconds());
      out.println(Jsons.mapper().writeValueAsString(result));
    } else {
      for (int i = 0; i < STEPS; i++) {
        out.printf(
            Locale.ROOT,
            "step %2d  loss on cpu %.6f, on %s %.6f%n",
            i + 1,
            cpu.losses()[i],
            device,
            there.losses()[i]);
      }
      out.printf(
          Locale.ROOT,
          "%s: largest relative difference of a loss %.1e, of a weight %.1e; %.2f s (cpu %.2f s)%n",
          agree ? "ok" : "lacking",
          worst,
          apart,
          there.seconds(),
          cpu.seconds());
    }
    out.flush();
    if (!agree) {
      throw new TemporaryException(
          "training on "
              + device
              + " does not agree with the CPU; do not train there, and check driver and libtorch"
              + " (docs/operations.md, GPU)");
    }
    return 0;
  }

  private static Run train(Path base, String device) throws InterruptedException {
    Compute compute = new Compute(device, DType.F32, DType.F32, 1);
    AdapterConfig config =
        new AdapterConfig(
            8,
            16,
            AdapterConfig.Scaling.RANK,
            Map.of(),
            Map.of(),
            new AdapterConfig.Targets.AllLinear(),
            0,
            null);
    LoraLayout layout = LoraLayout.of(SHAPE, config);
    float[][] rows = new float[2][];
    for (int k = 0; k < rows.length; k++) {
      rows[k] = layout.initial(LoraLayout.Init.KAIMING, k);
    }
    MicroBatch batch = MicroBatch.pack(sequences());
    double[] losses = new double[STEPS];
    long started = System.nanoTime();
    try (FrozenWeights frozen = FrozenWeights.load(base, SHAPE, compute);
        TrainableDecoder decoder = TrainableDecoder.lora(SHAPE, compute, frozen, layout, rows)) {
      for (int step = 0; step < STEPS; step++) {
        float[] perRow = decoder.run(List.of(batch), Pass.BACKWARD, 0, step).get(0);
        for (int i = 0; i < perRow.length; i++) {
          losses[step] += (double) perRow[i] * batch.weights()[i];
        }
        float[] norms = decoder.gatherGradients();
        List<Update> updates = new ArrayList<>();
        for (int k = 0; k < rows.length; k++) {
          updates.add(new Update(k, step, 0.01, norms[k]));
        }
        decoder.update(updates, AdamW.DEFAULT);
        decoder.endStep();
      }
      float[] all = Arrays.copyOf(decoder.parameters(0), 2 * layout.size());
      System.arraycopy(decoder.parameters(1), 0, all, layout.size(), layout.size());
      return new Run(losses, all, (System.nanoTime() - started) / 1e9);
    }
  }

  /** Lengths that make one rectangle of several and one of padded sequences, for two adapters. */
  private static List<TokenSequence> sequences() {
    Random random = new Random(7);
    List<TokenSequence> out = new ArrayList<>();
    for (int length : new int[] {17, 17, 33, 64, 50}) {
      float[] weights = new float[length];
      Arrays.fill(weights, length / 3, length, 1f / 256);
      out.add(
          new TokenSequence(
              random.ints(length, 0, SHAPE.vocabulary()).toArray(), weights, out.size() % 2));
    }
    return out;
  }
}
