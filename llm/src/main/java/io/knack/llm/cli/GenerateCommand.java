package io.knack.llm.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.knack.contracts.Message;
import io.knack.contracts.stage.ContractException;
import io.knack.contracts.stage.KnackException;
import io.knack.contracts.stage.PlanException;
import io.knack.llm.Completion;
import io.knack.llm.GenerationRequest;
import io.knack.llm.Prompt;
import io.knack.llm.Sample;
import io.knack.llm.Sampling;
import io.knack.llm.TokenUsage;
import io.knack.llm.checkpoint.GenerationDefaults;
import io.knack.llm.checkpoint.ModelConfig;
import io.knack.llm.kernel.DType;
import io.knack.llm.local.LocalModel;
import io.knack.llm.local.LocalOptions;
import io.knack.llm.lora.AdapterConfig;
import io.knack.llm.text.Tokenizer;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code knack generate}. */
@Command(
    name = "generate",
    mixinStandardHelpOptions = true,
    description = "Text from a Hugging Face checkpoint directory.",
    footer = {
      "",
      "Example:",
      "  ./knack generate --model models/SmolLM2-135M --prompt \"Once upon a time\" --max-tokens 50"
    })
public final class GenerateCommand implements Callable<Integer> {
  private static final int MAX_SAMPLES = 1 << 20;

  /** Below it scores over the temperature may overflow float32. */
  private static final double MIN_TEMPERATURE = 1e-6;

  @Spec private @Nullable CommandSpec spec;

  @Option(
      names = "--model",
      required = true,
      paramLabel = "DIR",
      description = "Checkpoint directory.")
  private Path model = Path.of("");

  @Option(
      names = "--adapter",
      paramLabel = "[NAME=]DIR",
      description = "PEFT adapter; one without a name applies to every prompt.")
  private List<String> adapters = new ArrayList<>();

  @Option(names = "--prompt", paramLabel = "TEXT", description = "The prompt as text.")
  private @Nullable String prompt;

  @Option(
      names = "--prompt-ids",
      split = ",",
      paramLabel = "ID",
      description = "The prompt as token ids.")
  private List<Integer> promptIds = new ArrayList<>();

  @Option(
      names = "--prompts",
      paramLabel = "FILE",
      description =
          "JSON lines: prompt, prompt_ids or messages (with tools and chat_template_kwargs), and"
              + " adapter.")
  private @Nullable Path prompts;

  @Option(names = "--chat", description = "Take the prompt as a user's message.")
  private boolean chat;

  @Option(
      names = "--samples",
      defaultValue = "1",
      description = "Samples a prompt (${DEFAULT-VALUE}).")
  private int samples;

  @Option(
      names = "--max-tokens",
      defaultValue = "128",
      description = "New tokens at most (${DEFAULT-VALUE}).")
  private int maxTokens;

  @Option(
      names = "--temperature",
      defaultValue = "0",
      description = "0 takes the most likely token (${DEFAULT-VALUE}).")
  private double temperature;

  @Option(names = "--top-p", defaultValue = "1", description = "In (0, 1] (${DEFAULT-VALUE}).")
  private double topP;

  @Option(names = "--top-k", defaultValue = "0", description = "0 is off (${DEFAULT-VALUE}).")
  private int topK;

  @Option(names = "--stop", paramLabel = "TEXT", description = "Ends a sample; may be repeated.")
  private List<String> stop = new ArrayList<>();

  @Option(names = "--seed", description = "The same seed draws the same samples.")
  private @Nullable Long seed;

  @Option(names = "--dtype", description = "float32 or bfloat16; as stored unless given.")
  private @Nullable String dtype;

  @Option(
      names = "--device",
      defaultValue = "cpu",
      description = "cpu, cuda or cuda:N (${DEFAULT-VALUE}).")
  private String device = "cpu";

  @Option(names = "--logprobs", description = "Report log-probabilities; --json always does.")
  private boolean logprobs;

  @Option(names = "--json", description = "One JSON array on standard output.")
  private boolean json;

  @Override
  public Integer call() throws IOException {
    check();
    checkFiles();
    LocalOptions defaults = LocalOptions.defaults();
    int atOnce = prompts == null ? Math.min(samples, defaults.maxBatch()) : defaults.maxBatch();
    LocalOptions options =
        new LocalOptions(dtype == null ? null : DType.parse(dtype), device, 0, atOnce, 0);
    try (LocalModel loaded = LocalModel.load(model, options)) {
      tellUnheeded();
      String everywhere = null;
      for (String adapter : adapters) {
        int equals = named(adapter) ? adapter.indexOf('=') : -1;
        String name = equals < 0 ? adapter : adapter.substring(0, equals);
        loaded.loadAdapter(name, directory(adapter));
        if (equals < 0 || (adapters.size() == 1 && prompts == null)) {
          everywhere = name;
        }
      }
      List<GenerationRequest> requests = requests(everywhere, loaded);
      List<Completion> completions = loaded.generate(requests);
      PrintWriter out = java.util.Objects.requireNonNull(spec).commandLine().getOut();
      if (json) {
        out.println(new ObjectMapper().writeValueAsString(json(completions)));
      } else {
        completions.forEach(completion -> print(completion, out));
      }
      out.flush();
    }
    return 0;
  }

  /** Says what the checkpoint's own defaults ask for beyond what the options here can. */
  private void tellUnheeded() {
    GenerationDefaults defaults = GenerationDefaults.of(model);
    List<String> unheeded = defaults.unheeded();
    if (!unheeded.isEmpty()) {
      PrintWriter err = java.util.Objects.requireNonNull(spec).commandLine().getErr();
      err.println(
          "knack: "
              + defaults.path()
              + " asks for "
              + String.join(", ", unheeded)
              + ", which is not applied here");
      err.flush();
    }
  }

  /** Whether an adapter is given as NAME=DIR; a directory's own name may hold a "=". */
  private static boolean named(String adapter) {
    int equals = adapter.indexOf('=');
    return equals > 0
        && adapter.indexOf('/') != 0
        && !adapter.substring(0, equals).contains("/")
        && !Files.isDirectory(Path.of(adapter));
  }

  private void print(Completion completion, PrintWriter out) {
    if (logprobs) {
      out.println("prompt: " + completion.promptLogprobs());
    }
    for (Sample sample : completion.samples()) {
      out.println(sample.text());
      if (logprobs) {
        out.println("logprobs: " + sample.logprobs());
      }
    }
  }

  private void check() {
    List<String> problems = new ArrayList<>();
    int given =
        (prompt == null ? 0 : 1) + (promptIds.isEmpty() ? 0 : 1) + (prompts == null ? 0 : 1);
    if (given != 1) {
      problems.add("generate: give one of --prompt, --prompt-ids and --prompts; found " + given);
    }
    if (samples < 1 || samples > MAX_SAMPLES) {
      problems.add("generate: --samples is " + samples + ", expected 1 to " + MAX_SAMPLES);
    }
    if (maxTokens < 0) {
      problems.add("generate: --max-tokens is " + maxTokens + ", expected at least 0");
    }
    boolean drawn = temperature >= MIN_TEMPERATURE && Double.isFinite(temperature);
    if (temperature != 0 && !drawn) {
      problems.add(
          "generate: --temperature is "
              + temperature
              + ", expected 0, which takes the most likely token, or a number from "
              + MIN_TEMPERATURE
              + " up");
    }
    if (!(topP > 0 && topP <= 1)) {
      problems.add("generate: --top-p is " + topP + ", expected a number in (0, 1]");
    }
    if (topK < 0) {
      problems.add("generate: --top-k is " + topK + ", expected at least 0");
    }
    if (stop.contains("")) {
      problems.add("generate: --stop is empty, expected the text that ends a sample");
    }
    List<String> names =
        adapters.stream()
            .filter(GenerateCommand::named)
            .map(adapter -> adapter.substring(0, adapter.indexOf('=')))
            .toList();
    if (names.stream().distinct().count() < names.size()) {
      problems.add("generate: two adapters have one name: " + names);
    }
    if (prompts == null && adapters.size() > 1) {
      problems.add(
          "generate: one prompt takes one --adapter, found "
              + adapters.size()
              + "; give one, or name them (--adapter NAME=DIR) and give --prompts with an"
              + " \"adapter\" in each line");
    } else if (adapters.stream().filter(adapter -> !named(adapter)).count() > 1) {
      problems.add("generate: several adapters need names: --adapter NAME=DIR");
    }
    if (!problems.isEmpty()) {
      throw new PlanException(problems);
    }
  }

  /** What can be told before the weights are read. */
  private void checkFiles() {
    var unused = ModelConfig.of(model);
    if (prompt != null && !Files.isRegularFile(model.resolve(Tokenizer.FILE))) {
      throw Tokenizer.missing(model);
    }
    adapters.stream().map(GenerateCommand::directory).forEach(AdapterConfig::read);
  }

  private static Path directory(String adapter) {
    return Path.of(named(adapter) ? adapter.substring(adapter.indexOf('=') + 1) : adapter);
  }

  private List<GenerationRequest> requests(@Nullable String everywhere, LocalModel loaded)
      throws IOException {
    Sampling sampling =
        new Sampling(
            maxTokens,
            temperature,
            topP,
            topK,
            stop,
            seed,
            logprobs || json ? Sampling.Logprobs.PROMPT_AND_COMPLETION : Sampling.Logprobs.NONE);
    if (prompts == null) {
      Prompt one = prompt == null ? new Prompt.Ids(promptIds) : text(prompt);
      return List.of(new GenerationRequest(one, everywhere, samples, sampling));
    }
    PromptFile.Plain plain = chat ? PromptFile.Plain.AS_USER : PromptFile.Plain.CONTINUED;
    List<GenerationRequest> requests = new ArrayList<>();
    for (PromptFile.Line line :
        new PromptFile(prompts, plain, loaded.config().vocabulary()).read()) {
      String adapter = line.adapter() == null ? everywhere : line.adapter();
      GenerationRequest request = new GenerationRequest(line.prompt(), adapter, samples, sampling);
      try {
        var unused = loaded.check(request);
      } catch (KnackException e) {
        throw new ContractException(line.where() + e.getMessage(), e);
      }
      requests.add(request);
    }
    return requests;
  }

  private Prompt text(String content) {
    return chat ? new Prompt.Chat(List.of(Message.user(content))) : new Prompt.Text(content);
  }

  private ArrayNode json(List<Completion> completions) {
    ArrayNode array = new ObjectMapper().createArrayNode();
    for (Completion completion : completions) {
      ObjectNode node = array.addObject();
      completion.promptIds().forEach(node.putArray("prompt_ids")::add);
      if (completion.promptLogprobs() != null) {
        ArrayNode scores = node.putArray("prompt_logprobs");
        for (Float score : completion.promptLogprobs()) {
          scores.add(score);
        }
      }
      ArrayNode all = node.putArray("samples");
      for (Sample sample : completion.samples()) {
        ObjectNode one = all.addObject();
        sample.ids().forEach(one.putArray("ids")::add);
        one.put("text", sample.text());
        if (sample.logprobs() != null) {
          sample.logprobs().forEach(one.putArray("logprobs")::add);
        }
        one.put("finish_reason", sample.finishReason().name().toLowerCase(Locale.ROOT));
      }
      TokenUsage usage = completion.usage();
      node.putObject("usage")
          .put("prompt_tokens", usage.promptTokens())
          .put("cached_prompt_tokens", usage.cachedPromptTokens())
          .put("completion_tokens", usage.completionTokens())
          .put("wall_micros", usage.wallMicros());
    }
    return array;
  }
}
