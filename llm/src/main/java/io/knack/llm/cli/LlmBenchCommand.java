package io.knack.llm.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
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
  private static final int ROUNDS = 3;

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
    if (model != null) {
      measure(model);
      return 0;
    }
    Path made = Files.createTempDirectory("knack-bench");
    try {
      ReferenceCheckpoint.write(made);
      measure(made);
    } finally {
      for (String name : List.of("config.json", "model.safetensors")) {
        Files.deleteIfExists(made.resolve(name));
      }
      Files.delete(made);
    }
    return 0;
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

  private void measure(Path checkpoint) throws IOException {
    ObjectNode result = new ObjectMapper().createObjectNode();
    BenchPeer transformers = peer ? BenchPeer.find() : null;
    List<DType> types =
        dtype == null ? List.of(DType.F32, DType.BF16) : List.of(DType.parse(dtype));
    double best = 0;
    ArrayNode all = new ObjectMapper().createArrayNode();
    for (DType type : types) {
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
        ours(checkpoint, type, scenario, node);
        if (transformers != null) {
          double theirs =
              transformers.tokensPerSecond(
                  checkpoint,
                  type.torchName(),
                  scenario.batch(),
                  scenario.promptTokens(),
                  scenario.newTokens(),
                  threads);
          node.put("peer_tokens_per_second", theirs);
          node.put("ratio", node.path("tokens_per_second").asDouble() / theirs);
        }
        print(node);
      }
    }
    result.put("peak_gflops", best).set("scenarios", all);
    PrintWriter out = java.util.Objects.requireNonNull(spec).commandLine().getOut();
    if (json) {
      out.println(result);
    }
    out.flush();
  }

  private void print(ObjectNode node) {
    var line = java.util.Objects.requireNonNull(spec).commandLine();
    PrintWriter to = json ? line.getErr() : line.getOut();
    to.printf(
        Locale.ROOT,
        "%s %s: %.0f tokens/s (decode %.0f, prefill %.0f), %d MB%s%n",
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
    to.flush();
  }

  private void ours(Path checkpoint, DType type, Scenario scenario, ObjectNode node) {
    LocalOptions options = new LocalOptions(type, "cpu", threads, scenario.batch(), 0);
    try (LocalModel loaded = LocalModel.load(checkpoint, options)) {
      double whole = Double.MAX_VALUE;
      double first = Double.MAX_VALUE;
      long tokens = 0;
      for (int round = 0; round < ROUNDS; round++) {
        first = Math.min(first, seconds(loaded, scenario, 1)[0]);
        double[] run = seconds(loaded, scenario, scenario.newTokens());
        whole = Math.min(whole, run[0]);
        tokens = (long) run[1];
      }
      int prompts = scenario.shared() ? 1 : scenario.batch();
      node.put("tokens_per_second", tokens / whole);
      node.put(
          "decode_tokens_per_second", (tokens - scenario.batch()) / Math.max(1e-9, whole - first));
      node.put("prefill_tokens_per_second", prompts * scenario.promptTokens() / first);
      node.put("max_rss_bytes", ResidentMemory.peakBytes());
    }
  }

  /** Seconds, and tokens generated. */
  private static double[] seconds(LocalModel loaded, Scenario scenario, int tokens) {
    Random random = new Random(1);
    List<GenerationRequest> requests = new ArrayList<>();
    Sampling sampling = Sampling.seeded(tokens, 1, 7);
    for (int i = 0; i < (scenario.shared() ? 1 : scenario.batch()); i++) {
      List<Integer> ids =
          random.ints(scenario.promptTokens(), 0, loaded.config().vocabulary()).boxed().toList();
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
}
