package io.knack.llm.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.knack.contracts.store.Scratch;
import io.knack.llm.Completion;
import io.knack.llm.GenerationRequest;
import io.knack.llm.Prompt;
import io.knack.llm.Sampling;
import io.knack.llm.kernel.DType;
import io.knack.llm.kernel.Kernels;
import io.knack.llm.local.LocalModel;
import io.knack.llm.local.LocalOptions;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code knack bench llm}: generation speed, by itself or beside transformers. */
@Command(
    name = "llm",
    mixinStandardHelpOptions = true,
    description = {
      "Generation speed and memory, with the machine's own matrix-product peak.",
      "Without --model a random checkpoint of 27.8 million parameters is measured; without --batch"
          + " three scenarios: a batch of 16, one sequence, and 16 samples of one long prompt."
    },
    footer = {"", "Example:", "  ./knack bench llm --dtype float32 --peer --json"})
public final class LlmBenchCommand implements Callable<Integer> {
  private static final int ROUNDS = 5;

  @Spec private @Nullable CommandSpec spec;

  @Option(names = "--model", paramLabel = "DIR", description = "Checkpoint directory.")
  private @Nullable Path model;

  @Option(names = "--dtype", description = "float32 or bfloat16; both unless given.")
  private @Nullable String dtype;

  @Option(names = "--batch", defaultValue = "0", description = "Sequences of a single scenario.")
  private int batch;

  @Option(
      names = "--prompt-tokens",
      defaultValue = "64",
      description = "With --batch (${DEFAULT-VALUE}).")
  private int promptTokens;

  @Option(
      names = "--new-tokens",
      defaultValue = "128",
      description = "With --batch (${DEFAULT-VALUE}).")
  private int newTokens;

  @Option(
      names = "--shared",
      description = "With --batch: all sequences are samples of one prompt.")
  private boolean shared;

  @Option(
      names = "--large",
      description =
          "Memory instead of speed: loads a random checkpoint of 2.1 GB, as stored and converted.")
  private boolean large;

  @Option(names = "--threads", defaultValue = "0", description = "0 leaves the engine's choice.")
  private int threads;

  @Option(
      names = "--peer",
      description =
          "Also run transformers, in scripts/python-env peer or the interpreter that"
              + " KNACK_PEER_PYTHON names.")
  private boolean peer;

  @Option(names = "--json", description = "One JSON document on standard output.")
  private boolean json;

  /** Requests of one shape; a shared prompt has all its samples in one request. */
  private record Scenario(
      String name, int batch, int promptTokens, int newTokens, boolean shared) {}

  @Override
  public Integer call() throws IOException {
    if (batch < 0 || promptTokens < 1 || newTokens < 2) {
      throw new io.knack.contracts.stage.PlanException(
          "bench: --batch and --prompt-tokens must be positive, --new-tokens at least 2");
    }
    ObjectNode result = new ObjectMapper().createObjectNode();
    if (large) {
      withCheckpoint(ReferenceCheckpoint.LARGE, checkpoint -> load(checkpoint, result));
    } else if (model != null) {
      measure(model, result);
    } else {
      withCheckpoint(ReferenceCheckpoint.SMALL, checkpoint -> measure(checkpoint, result));
    }
    if (json) {
      PrintWriter out = java.util.Objects.requireNonNull(spec).commandLine().getOut();
      out.println(result);
      out.flush();
    }
    return 0;
  }

  private interface Measurement {
    void on(Path checkpoint) throws IOException;
  }

  private static void withCheckpoint(ReferenceCheckpoint shape, Measurement measurement)
      throws IOException {
    try (Scratch made = Scratch.create("knack-bench")) {
      shape.write(made.directory());
      measurement.on(made.directory());
    }
  }

  private List<DType> types() {
    return dtype == null ? List.of(DType.F32, DType.BF16) : List.of(DType.parse(dtype));
  }

  private List<Scenario> scenarios() {
    if (batch > 0) {
      String name = (shared ? "shared-" : "batch-") + batch;
      return List.of(new Scenario(name, batch, promptTokens, newTokens, shared));
    }
    return List.of(
        new Scenario("batch-16", 16, 64, 128, false),
        new Scenario("batch-1", 1, 64, 128, false),
        new Scenario("shared-16", 16, 512, 64, true));
  }

  // Speed ---------------------------------------------------------------------------------------

  private void measure(Path checkpoint, ObjectNode result) throws IOException {
    String python = peer ? BenchPeer.find().python() : null;
    double best = 0;
    ArrayNode all = new ObjectMapper().createArrayNode();
    for (DType type : types()) {
      if (threads > 0) {
        Kernels.threads(threads);
      }
      double peak = MachinePeak.gflops(type);
      best = Math.max(best, peak);
      for (Scenario scenario : scenarios()) {
        ObjectNode node = all.addObject();
        node.put("name", scenario.name()).put("dtype", type.torchName());
        node.put("batch", scenario.batch()).put("prompt_tokens", scenario.promptTokens());
        node.put("new_tokens", scenario.newTokens()).put("peak_gflops", peak);
        ResidentMemory.forgetPeak();
        LocalOptions options = new LocalOptions(type, "cpu", threads, scenario.batch(), 0);
        try (LocalModel loaded = LocalModel.load(checkpoint, options)) {
          if (python == null) {
            measure(loaded, null, scenario, node);
          } else {
            try (TransformersPeer other =
                TransformersPeer.start(python, checkpoint, type.torchName(), threads)) {
              measure(loaded, other, scenario, node);
            }
          }
        }
        print(node);
      }
    }
    result.put("peak_gflops", best).set("scenarios", all);
  }

  /** The best of some rounds, taken in turns with the peer's, so that both see the same machine. */
  private void measure(
      LocalModel loaded, @Nullable TransformersPeer other, Scenario scenario, ObjectNode node)
      throws IOException {
    double whole = Double.MAX_VALUE;
    double first = Double.MAX_VALUE;
    double theirs = 0;
    long tokens = 0;
    List<List<Integer>> prompts = prompts(loaded, scenario);
    for (int round = 0; round < ROUNDS; round++) {
      first = Math.min(first, seconds(loaded, scenario, prompts, 1)[0]);
      double[] run = seconds(loaded, scenario, prompts, scenario.newTokens());
      whole = Math.min(whole, run[0]);
      tokens = (long) run[1];
      if (other != null) {
        List<List<Integer>> copies =
            scenario.shared() ? Collections.nCopies(scenario.batch(), prompts.get(0)) : prompts;
        theirs = Math.max(theirs, other.tokensPerSecond(copies, scenario.newTokens()));
      }
    }
    node.put("tokens_per_second", tokens / whole);
    node.put(
        "decode_tokens_per_second", (tokens - scenario.batch()) / Math.max(1e-9, whole - first));
    node.put("prefill_tokens_per_second", prompts.size() * scenario.promptTokens() / first);
    node.put("max_rss_bytes", ResidentMemory.peakBytes());
    if (other != null) {
      node.put("peer_tokens_per_second", theirs);
      node.put("ratio", tokens / whole / theirs);
    }
  }

  private static List<List<Integer>> prompts(LocalModel loaded, Scenario scenario) {
    Random random = new Random(1);
    List<List<Integer>> prompts = new ArrayList<>();
    for (int i = 0; i < (scenario.shared() ? 1 : scenario.batch()); i++) {
      prompts.add(
          random.ints(scenario.promptTokens(), 0, loaded.config().vocabulary()).boxed().toList());
    }
    return prompts;
  }

  /** Seconds, and tokens generated. */
  private static double[] seconds(
      LocalModel loaded, Scenario scenario, List<List<Integer>> prompts, int tokens) {
    Sampling sampling = Sampling.seeded(tokens, 1, 7);
    List<GenerationRequest> requests = new ArrayList<>();
    for (List<Integer> ids : prompts) {
      requests.add(
          new GenerationRequest(
              new Prompt.Ids(ids), null, scenario.shared() ? scenario.batch() : 1, sampling));
    }
    long start = System.nanoTime();
    long made = 0;
    for (Completion completion : loaded.generate(requests)) {
      made += completion.usage().completionTokens();
    }
    return new double[] {(System.nanoTime() - start) / 1e9, made};
  }

  private void print(ObjectNode node) {
    say(
        "%s %s: %.0f tokens/s (decode %.0f, prefill %.0f), %d MB%s",
        node.path("name").asText(),
        node.path("dtype").asText(),
        node.path("tokens_per_second").asDouble(),
        node.path("decode_tokens_per_second").asDouble(),
        node.path("prefill_tokens_per_second").asDouble(),
        node.path("max_rss_bytes").asLong() >> 20,
        node.has("ratio")
            ? String.format(
                Locale.ROOT,
                "; transformers %.0f, ratio %.2f",
                node.path("peer_tokens_per_second").asDouble(),
                node.path("ratio").asDouble())
            : "");
  }

  // Memory --------------------------------------------------------------------------------------

  /** What loading takes, as stored (bfloat16) and converted. */
  private void load(Path checkpoint, ObjectNode result) throws IOException {
    long bytes = Files.size(checkpoint.resolve("model.safetensors"));
    ArrayNode all = result.put("checkpoint_bytes", bytes).putArray("scenarios");
    for (DType type : dtype == null ? List.of(DType.BF16, DType.F32) : types()) {
      System.gc();
      ResidentMemory.forgetPeak();
      long start = System.nanoTime();
      try (LocalModel loaded =
          LocalModel.load(checkpoint, new LocalOptions(type, "cpu", threads, 1, 0))) {
        double took = (System.nanoTime() - start) / 1e9;
        GenerationRequest request =
            new GenerationRequest(new Prompt.Ids(List.of(1, 2, 3, 4)), null, 1, Sampling.greedy(4));
        loaded.generate(List.of(request));
        long converted = bytes / ReferenceCheckpoint.LARGE.stored().bytes() * type.bytes();
        ObjectNode node = all.addObject();
        node.put("name", "load-large").put("dtype", type.torchName()).put("batch", 1);
        node.put("seconds", took).put("weight_bytes", converted);
        node.put("max_rss_bytes", ResidentMemory.peakBytes())
            .put("rss_bytes", ResidentMemory.bytes());
        say(
            "load %s: %.1f s, weights %d MB, at most %d MB resident, afterwards %d MB",
            type.torchName(),
            took,
            converted >> 20,
            node.path("max_rss_bytes").asLong() >> 20,
            node.path("rss_bytes").asLong() >> 20);
      }
    }
  }

  private void say(String format, Object... values) {
    var line = java.util.Objects.requireNonNull(spec).commandLine();
    PrintWriter to = json ? line.getErr() : line.getOut();
    to.println(String.format(Locale.ROOT, format, values));
    to.flush();
  }
}
