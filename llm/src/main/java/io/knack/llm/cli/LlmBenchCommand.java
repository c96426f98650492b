package io.knack.llm.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.knack.contracts.stage.TemporaryException;
import io.knack.llm.Completion;
import io.knack.llm.GenerationRequest;
import io.knack.llm.Prompt;
import io.knack.llm.Sampling;
import io.knack.llm.kernel.DType;
import io.knack.llm.local.LocalModel;
import io.knack.llm.local.LocalOptions;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code knack bench llm}: tokens per second, by itself or beside transformers. */
@Command(
    name = "llm",
    mixinStandardHelpOptions = true,
    description = "Generation speed as JSON; --peer runs transformers on the same work.",
    footer = {"", "Example:", "  ./knack bench llm --model DIR --dtype float32 --batch 16 --peer"})
public final class LlmBenchCommand implements Callable<Integer> {
  @Spec private @Nullable CommandSpec spec;

  @Option(
      names = "--model",
      required = true,
      paramLabel = "DIR",
      description = "Checkpoint directory.")
  private Path model = Path.of("");

  @Option(names = "--dtype", description = "float32 or bfloat16; as stored unless given.")
  private @Nullable String dtype;

  @Option(names = "--batch", defaultValue = "16", description = "Sequences (${DEFAULT-VALUE}).")
  private int batch;

  @Option(names = "--prompt-tokens", defaultValue = "64", description = "(${DEFAULT-VALUE})")
  private int promptTokens;

  @Option(names = "--new-tokens", defaultValue = "128", description = "(${DEFAULT-VALUE})")
  private int newTokens;

  @Option(names = "--shared", description = "All sequences are samples of one prompt.")
  private boolean shared;

  @Option(names = "--threads", defaultValue = "0", description = "0 leaves the engine's choice.")
  private int threads;

  @Option(
      names = "--peer",
      description = "Also run transformers; PYTHON names the interpreter (python3).")
  private boolean peer;

  @Override
  public Integer call() throws IOException {
    LocalOptions options =
        new LocalOptions(
            dtype == null ? null : DType.parse(dtype), "cpu", threads, Math.max(1, batch), 0);
    ObjectNode result = new ObjectMapper().createObjectNode();
    try (LocalModel loaded = LocalModel.load(model, options)) {
      result.put("dtype", loaded.dtype().torchName()).put("batch", batch);
      result
          .put("prompt_tokens", promptTokens)
          .put("new_tokens", newTokens)
          .put("shared_prompt", shared);
      double best = 0;
      for (int round = 0; round < 3; round++) {
        best = Math.max(best, rate(loaded));
      }
      result.put("tokens_per_second", best);
    }
    if (peer) {
      double theirs = peer(result.path("dtype").asText());
      result.put("peer_tokens_per_second", theirs);
      result.put("ratio", result.path("tokens_per_second").asDouble() / theirs);
    }
    PrintWriter out = java.util.Objects.requireNonNull(spec).commandLine().getOut();
    out.println(result);
    out.flush();
    return 0;
  }

  private double rate(LocalModel loaded) {
    Random random = new Random(1);
    List<GenerationRequest> requests = new ArrayList<>();
    Sampling sampling = Sampling.seeded(newTokens, 1, 7);
    for (int i = 0; i < (shared ? 1 : batch); i++) {
      List<Integer> ids =
          random.ints(promptTokens, 0, loaded.config().vocabulary()).boxed().toList();
      requests.add(new GenerationRequest(new Prompt.Ids(ids), null, shared ? batch : 1, sampling));
    }
    long start = System.nanoTime();
    long tokens = 0;
    for (Completion completion : loaded.generate(requests)) {
      tokens += completion.usage().completionTokens();
    }
    return tokens * 1e9 / (System.nanoTime() - start);
  }

  private double peer(String type) throws IOException {
    Path script = Files.createTempFile("knack-peer", ".py");
    try (InputStream in =
        LlmBenchCommand.class.getResourceAsStream("/io/knack/llm/bench_peer.py")) {
      Files.write(script, java.util.Objects.requireNonNull(in).readAllBytes());
      String python = System.getenv().getOrDefault("PYTHON", "python3");
      Process process =
          new ProcessBuilder(
                  python,
                  script.toString(),
                  model.toString(),
                  type,
                  "" + batch,
                  "" + promptTokens,
                  "" + newTokens,
                  "" + threads)
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start();
      String output =
          new String(
                  process.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8)
              .strip();
      if (output.isEmpty()) {
        throw new TemporaryException(
            "bench: the peer gave no figure; PYTHON must name an interpreter with torch and transformers, it is "
                + python);
      }
      return Double.parseDouble(output.substring(output.lastIndexOf('\n') + 1));
    } finally {
      Files.delete(script);
    }
  }
}
