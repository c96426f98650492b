package io.knack.trainer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.knack.contracts.plan.Plans;
import io.knack.contracts.stage.PlanException;
import io.knack.contracts.stage.TemporaryException;
import io.knack.contracts.store.Jsons;
import io.knack.contracts.store.Scratch;
import io.knack.llm.checkpoint.ModelConfig;
import io.knack.llm.cli.BenchPeer;
import io.knack.llm.cli.MachinePeak;
import io.knack.llm.cli.ResidentMemory;
import io.knack.llm.kernel.DType;
import io.knack.llm.train.FlatWeights;
import io.knack.llm.train.LoraLayout;
import io.knack.llm.train.SmallDecoders;
import java.io.IOException;
import java.io.PrintWriter;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/**
 * {@code knack bench train}: speed and memory of LoRA training, by itself or beside PEFT. Each
 * scenario runs in a process of its own, so that its memory is its own.
 */
@Command(
    name = "train",
    mixinStandardHelpOptions = true,
    description = {
      "Speed and memory of LoRA training (rank 16, all linear layers), with the machine's own"
          + " matrix-product peak.",
      "Without --model, a random Llama of 27.8 million parameters is trained. Scenarios: reference"
          + " (8 x 256 tokens), mixed-lengths (batches of 8, lognormal, mean 120 tokens),"
          + " clusters-batch-1 and clusters-batch-4 (8 adapters of 32 examples in one pass);"
          + " by name alone: memory (resident memory over 2,000 short steps)."
    },
    footer = {"", "Example:", "  ./knack bench train --peer --json"})
public final class TrainBenchCommand implements Callable<Integer> {
  private static final int STEPS = 6;

  /** Steps between two looks at what is resident: scenarios for speed are shorter. */
  private static final int RESIDENT_EVERY = 200;

  @Spec private @Nullable CommandSpec spec;

  @Option(names = "--model", paramLabel = "DIR", description = "Checkpoint directory.")
  private @Nullable Path model;

  @Option(
      names = "--dtype",
      description =
          "Of the base: float32 or bfloat16. Without it the reference runs in both, the rest in"
              + " bfloat16.")
  private @Nullable String dtype;

  @Option(
      names = "--batch",
      defaultValue = "0",
      description = "One scenario alone: so many sequences of 256 tokens.")
  private int batch;

  @Option(names = "--scenario", paramLabel = "NAME", description = "Only these; repeatable.")
  private List<String> only = new ArrayList<>();

  @Option(
      names = "--peer",
      description =
          "Also run transformers + PEFT, in scripts/python-env peer or the interpreter that"
              + " KNACK_PEER_PYTHON names.")
  private boolean peer;

  @Option(names = "--json", description = "One JSON document on standard output.")
  private boolean json;

  @Option(names = "--work", hidden = true, description = "Runs this file's work in this process.")
  private @Nullable Path work;

  @Override
  public Integer call() throws IOException, InterruptedException {
    if (batch < 0) {
      throw new PlanException("bench: --batch must be positive, found " + batch);
    }
    if (work != null) {
      train(Objects.requireNonNull(model), DType.parse(String.valueOf(dtype)), work);
      return 0;
    }
    try (Scratch scratch = Scratch.create("knack-bench")) {
      Path base = model;
      if (base == null) {
        base = scratch.directory().resolve("base");
        ModelConfig shape =
            SmallDecoders.llama(
                8192, 512, 8, 8, 4, 1408, ModelConfig.Embeddings.TIED, 2048, List.of(2));
        FlatWeights flat = FlatWeights.of(shape);
        FullTraining.write(base, shape, flat, flat.random(0.02, 1));
      }
      measure(base, scratch.directory());
    }
    return 0;
  }

  private List<BenchWork> works(int vocabulary) {
    if (batch > 0) {
      return List.of(BenchWork.even("batch-" + batch, vocabulary, batch, 256, STEPS));
    }
    List<BenchWork> all =
        List.of(
            BenchWork.even("reference", vocabulary, 8, 256, STEPS),
            BenchWork.mixed(vocabulary, 8, 2 * STEPS),
            BenchWork.clusters(vocabulary, 1),
            BenchWork.clusters(vocabulary, 4),
            BenchWork.memory(vocabulary));
    List<String> names = all.stream().map(BenchWork::name).toList();
    if (!names.containsAll(only)) {
      throw new PlanException("--scenario: expected some of " + names + ", found " + only);
    }
    return all.stream()
        .filter(w -> only.isEmpty() ? !w.name().equals(BenchWork.MEMORY) : only.contains(w.name()))
        .toList();
  }

  private void measure(Path base, Path scratch) throws IOException, InterruptedException {
    ModelConfig shape = ModelConfig.of(base);
    BenchPeer python = peer ? BenchPeer.find() : null;
    double bf16 = MachinePeak.gflops(DType.BF16);
    double fp32 = MachinePeak.gflops(DType.F32);
    ObjectNode result = Jsons.mapper().createObjectNode();
    result.put("peak_gflops", Math.max(bf16, fp32));
    result.put("peak_gflops_bfloat16", bf16).put("peak_gflops_float32", fp32);
    ArrayNode scenarios = result.putArray("scenarios");
    for (BenchWork task : works(shape.vocabulary())) {
      Path file = scratch.resolve("work.json");
      Files.writeString(file, Jsons.mapper().writeValueAsString(task));
      List<DType> types =
          dtype != null
              ? List.of(DType.parse(dtype))
              : task.name().equals("reference")
                  ? List.of(DType.BF16, DType.F32)
                  : List.of(DType.BF16);
      for (DType type : types) {
        ObjectNode node = scenarios.addObject();
        node.put("name", task.name()).put("dtype", type.torchName());
        JsonNode ours = own(base, type, file);
        double rate = ours.path("tokens_per_second").asDouble();
        double achieved = rate * operations(shape, task) / 1e9;
        node.put("tokens_per_second", rate);
        node.put("achieved_gflops", achieved);
        node.put("share_of_bfloat16_peak", achieved / bf16);
        node.put("arithmetic", ours.path("arithmetic").asText());
        node.put("max_rss_bytes", ours.path("max_rss_bytes").asLong());
        node.put("loss", ours.path("loss").asDouble());
        if (ours.has("resident")) {
          node.set("resident", ours.path("resident"));
        }
        if (python != null) {
          JsonNode theirs =
              Jsons.mapper()
                  .readTree(
                      python.lastLine(
                          TrainBenchCommand.class,
                          "bench_peer.py",
                          base.toString(),
                          type.torchName(),
                          file.toString()));
          node.put("peer_tokens_per_second", theirs.path("tokens_per_second").asDouble());
          node.put("peer_max_rss_bytes", theirs.path("max_rss_bytes").asLong());
          node.put("peer_loss", theirs.path("loss").asDouble());
          node.put("ratio", rate / theirs.path("tokens_per_second").asDouble());
        }
        say(node);
      }
    }
    if (json) {
      PrintWriter out = Objects.requireNonNull(spec).commandLine().getOut();
      out.println(Jsons.mapper().writeValueAsString(result));
      out.flush();
    }
  }

  /**
   * Floating-point operations of a token: products forward and for the gradients of activations,
   * the adapter's for its weights besides, and attention by causal halves.
   */
  private static double operations(ModelConfig shape, BenchWork task) {
    FlatWeights flat = FlatWeights.of(shape);
    double products =
        flat.ranges().stream()
            .filter(r -> r.columns() > 0 && !r.name().contains("embed_tokens"))
            .mapToDouble(FlatWeights.Range::size)
            .sum();
    if (shape.embeddings() == ModelConfig.Embeddings.TIED) {
      products += (double) shape.vocabulary() * shape.hidden();
    }
    double adapter =
        LoraLayout.of(shape, Plans.read(TrainPlan.class, null, List.of()).adapterConfig(null))
            .size();
    double squares = 0;
    double tokens = 0;
    for (List<List<Integer>> rows : task.adapters()) {
      for (List<Integer> row : rows) {
        squares += (double) row.size() * row.size();
        tokens += row.size();
      }
    }
    double attention = 7.0 * shape.layers() * shape.queryWidth() * squares / tokens;
    return 4 * products + 6 * adapter + attention;
  }

  private void say(ObjectNode node) {
    var line = Objects.requireNonNull(spec).commandLine();
    PrintWriter to = json ? line.getErr() : line.getOut();
    to.printf(
        Locale.ROOT,
        "%s %s: %.0f tokens/s, %.0f GFLOP/s (%.0f%% of the bfloat16 peak), %d MB%s%n",
        node.path("name").asText(),
        node.path("dtype").asText(),
        node.path("tokens_per_second").asDouble(),
        node.path("achieved_gflops").asDouble(),
        100 * node.path("share_of_bfloat16_peak").asDouble(),
        node.path("max_rss_bytes").asLong() >> 20,
        residents(node)
            + (node.has("ratio")
                ? String.format(
                    Locale.ROOT,
                    "; PEFT %.0f, %d MB: ratio %.2f",
                    node.path("peer_tokens_per_second").asDouble(),
                    node.path("peer_max_rss_bytes").asLong() >> 20,
                    node.path("ratio").asDouble())
                : ""));
    to.flush();
  }

  private static String residents(ObjectNode node) {
    StringBuilder said = new StringBuilder();
    for (JsonNode look : node.path("resident")) {
      said.append(
          String.format(
              Locale.ROOT,
              "%n  step %d: %.1f MB resident",
              look.path("step").asLong(),
              look.path("bytes").asDouble() / (1 << 20)));
    }
    return said.toString();
  }

  /** Runs {@link #train} in a process with this one's options. */
  private static JsonNode own(Path base, DType type, Path file)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
    command.addAll(
        List.of(
            "-cp",
            System.getProperty("java.class.path"),
            Main.class.getName(),
            "bench",
            "train",
            "--model",
            base.toString(),
            "--dtype",
            type.torchName(),
            "--work",
            file.toString()));
    Process process =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    String output =
        new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    if (process.waitFor() != 0 || output.isEmpty()) {
      throw new TemporaryException(
          "bench: the measuring process ended with " + process.exitValue() + "; see above why");
    }
    return Jsons.mapper().readTree(output.substring(output.lastIndexOf('\n') + 1));
  }

  private void train(Path base, DType type, Path file) throws IOException, InterruptedException {
    BenchWork task = Jsons.mapper().readValue(file.toFile(), BenchWork.class);
    TrainPlan plan =
        Plans.read(
            TrainPlan.class,
            null,
            List.of(
                "steps=" + task.steps(),
                "batch_size=" + task.batch(),
                "dtype=" + type.torchName(),
                "learning_rate=0.0001",
                "schedule=constant",
                "shuffle=false",
                "checkpoint_every=0"));
    Clock clock = new Clock(task.warmup());
    try (Scratch scratch = Scratch.create("knack-bench")) {
      Path place = scratch.directory();
      LoraTraining.run(plan, base, task.tasks(), place, place.resolve("work"), clock);
    }
    ObjectNode result = Jsons.mapper().createObjectNode();
    result.put("tokens_per_second", task.tokens() / clock.seconds());
    result.put("max_rss_bytes", ResidentMemory.peakBytes());
    result.put("loss", clock.loss / clock.reports);
    if (!clock.resident.isEmpty()) {
      result.set("resident", clock.resident);
    }
    result.put("arithmetic", plan.compute().arithmetic().torchName());
    PrintWriter out = Objects.requireNonNull(spec).commandLine().getOut();
    out.println(Jsons.mapper().writeValueAsString(result));
    out.flush();
  }

  /** Times the steps between the last of the warm-up and the last of all, at the same point. */
  private static final class Clock implements TrainingListener {
    private final int warmup;
    private long started;
    private long ended;
    private double loss;
    private long reports;
    private final ArrayNode resident = Jsons.mapper().createArrayNode();

    Clock(int warmup) {
      this.warmup = warmup;
    }

    @Override
    public void step(StepReport report) {
      long now = System.nanoTime();
      if (report.step() <= warmup) {
        started = now;
      } else {
        ended = now;
        loss += report.loss();
        reports++;
      }
      if (report.step() % RESIDENT_EVERY == 0) {
        resident.addObject().put("step", report.step()).put("bytes", ResidentMemory.bytes());
      }
    }

    double seconds() {
      return (ended - started) / 1e9;
    }
  }
}
