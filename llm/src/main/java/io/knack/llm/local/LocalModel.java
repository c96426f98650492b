package io.knack.llm.local;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.knack.contracts.stage.ContractException;
import io.knack.contracts.stage.PlanException;
import io.knack.llm.GenerationRequest;
import io.knack.llm.GenerationSession;
import io.knack.llm.LanguageModel;
import io.knack.llm.Prompt;
import io.knack.llm.checkpoint.Checkpoint;
import io.knack.llm.checkpoint.DecoderTensors;
import io.knack.llm.checkpoint.GenerationDefaults;
import io.knack.llm.checkpoint.ModelConfig;
import io.knack.llm.kernel.AvailableMemory;
import io.knack.llm.kernel.DType;
import io.knack.llm.kernel.Kernels;
import io.knack.llm.lora.PeftAdapter;
import io.knack.llm.text.ChatTemplate;
import io.knack.llm.text.Tokenizer;
import io.knack.llm.text.Tokenizer.Specials;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.ZoneId;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * A Hugging Face decoder checkpoint in this process, with any number of LoRA adapters over it.
 * Adapters are chosen per request; requests with different adapters run in one batch.
 */
public final class LocalModel implements LanguageModel {
  private final String name;
  private final LocalOptions options;
  private final Kernels kernels;
  private final ModelConfig config;
  private final Weights weights;
  private final @Nullable Tokenizer tokenizer;
  private final Path directory;
  private final Map<String, Loaded> adapters = new LinkedHashMap<>();
  private final ReentrantLock turn = new ReentrantLock();
  private final long cacheBudget;
  private final long[] shape;
  private final double repetitionPenalty;
  private final @Nullable VectorDecoder vectors;
  private @Nullable KvCache cache;
  private @Nullable AdapterStack stack;
  private @Nullable ChatTemplate template;

  private record Loaded(PeftAdapter adapter, NDManager owner) {}

  private LocalModel(
      Path directory,
      LocalOptions options,
      Kernels kernels,
      ModelConfig config,
      double repetitionPenalty,
      Weights weights,
      @Nullable Tokenizer tokenizer) {
    Path last = directory.toAbsolutePath().normalize().getFileName();
    this.name = last == null ? directory.toString() : last.toString();
    this.directory = directory;
    this.options = options;
    this.kernels = kernels;
    this.config = config;
    this.weights = weights;
    this.tokenizer = tokenizer;
    this.shape = new long[4 + config.layers()];
    shape[0] = config.heads();
    shape[1] = config.kvHeads();
    shape[2] = config.headDim();
    shape[3] = kernels.batchesAttention(weights.dtype()) ? 1 : 0;
    for (int i = 0; i < config.layers(); i++) {
      shape[4 + i] = config.windows().get(i);
    }
    this.repetitionPenalty = repetitionPenalty;
    this.vectors = weights.vectors() ? new VectorDecoder(this) : null;
    this.cacheBudget = options.cacheBytes() > 0 ? options.cacheBytes() : availableMemory() / 2;
  }

  /**
   * Loads a checkpoint directory. Without a tokenizer.json, prompts must be ids and texts are
   * empty.
   *
   * @throws ContractException naming what is missing, corrupt or not supported
   */
  public static LocalModel load(Path directory, LocalOptions options) {
    ModelConfig config = ModelConfig.of(directory);
    double repetitionPenalty = GenerationDefaults.of(directory).repetitionPenalty();
    Checkpoint checkpoint = Checkpoint.open(directory);
    DecoderTensors.check(checkpoint, config);
    Tokenizer tokenizer =
        Files.isRegularFile(directory.resolve(Tokenizer.FILE)) ? Tokenizer.load(directory) : null;
    try {
      return load(directory, options, config, checkpoint, repetitionPenalty, tokenizer);
    } catch (RuntimeException e) {
      if (tokenizer != null) {
        tokenizer.close();
      }
      throw e;
    }
  }

  private static LocalModel load(
      Path directory,
      LocalOptions options,
      ModelConfig config,
      Checkpoint checkpoint,
      double repetitionPenalty,
      @Nullable Tokenizer tokenizer) {
    if (options.threads() > 0) {
      Kernels.threads(options.threads());
    }
    Kernels kernels = Kernels.load(options.device());
    try {
      kernels.gradients(Kernels.Gradients.OFF);
      DType stored = checkpoint.storedType();
      DType dtype = options.dtype() == null ? stored : options.dtype();
      if (dtype == DType.F16 && !kernels.device().isGpu()) {
        dtype = DType.F32;
      }
      Weights weights = Weights.load(kernels, config, checkpoint, dtype, options);
      return new LocalModel(
          directory, options, kernels, config, repetitionPenalty, weights, tokenizer);
    } catch (RuntimeException e) {
      kernels.close();
      throw e;
    }
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public int maxContext() {
    return config.maxPositions();
  }

  public ModelConfig config() {
    return config;
  }

  /** What the weights are computed in. */
  public DType dtype() {
    return weights.dtype();
  }

  @Override
  public int countTokens(String text) {
    return tokenizer().encode(text, Specials.NONE).size();
  }

  /** The checkpoint's tokenizer; refused when it has none. */
  public Tokenizer tokenizer() {
    if (tokenizer == null) {
      throw Tokenizer.missing(directory);
    }
    return tokenizer;
  }

  /**
   * Loads a PEFT adapter under a name, replacing one of that name. Not while a session runs.
   *
   * @throws ContractException naming what is missing, corrupt or not supported
   */
  public void loadAdapter(String adapterName, Path adapterDirectory) {
    NDManager owner = kernels.manager().newSubManager();
    turn.lock();
    try {
      kernels.gradients(Kernels.Gradients.OFF);
      PeftAdapter adapter = PeftAdapter.read(kernels, owner, adapterDirectory, config);
      unloadAdapter(adapterName);
      adapters.put(adapterName, new Loaded(adapter, owner));
    } catch (RuntimeException e) {
      owner.close();
      throw e;
    } finally {
      turn.unlock();
    }
  }

  /** Forgets an adapter; no effect when there is none of that name. */
  public void unloadAdapter(String adapterName) {
    turn.lock();
    try {
      Loaded old = adapters.remove(adapterName);
      if (old != null) {
        if (stack != null && stack.adapters().contains(old.adapter())) {
          stack.close();
          stack = null;
        }
        old.owner().close();
      }
    } finally {
      turn.unlock();
    }
  }

  /** Names of the loaded adapters. */
  public List<String> adapters() {
    return List.copyOf(adapters.keySet());
  }

  @Override
  public GenerationSession open() {
    return new LocalSession(this);
  }

  LocalOptions options() {
    return options;
  }

  Kernels kernels() {
    return kernels;
  }

  Weights weights() {
    return weights;
  }

  /** The decoder in vector instructions; null where all is kernel calls. */
  @Nullable VectorDecoder vectors() {
    return vectors;
  }

  ReentrantLock turn() {
    return turn;
  }

  @Nullable PeftAdapter adapter(@Nullable String adapterName) {
    if (adapterName == null) {
      return null;
    }
    Loaded loaded = adapters.get(adapterName);
    if (loaded == null) {
      throw new PlanException(
          "adapter '" + adapterName + "' is not loaded; loaded: " + adapters.keySet());
    }
    return loaded.adapter();
  }

  /** The checkpoint's own: see {@link GenerationDefaults#repetitionPenalty}. */
  double repetitionPenalty() {
    return repetitionPenalty;
  }

  /**
   * What the {@code sample} kernel calls seen: row and token (2, M) of what the penalty meets;
   * empty where there is none.
   */
  NDArray seen(NDManager scope, List<Row> rows) {
    if (repetitionPenalty == 1) {
      return scope.create(new long[0]);
    }
    int pairs = rows.stream().mapToInt(row -> row.seen().cardinality()).sum();
    long[] both = new long[2 * pairs];
    int at = 0;
    for (int i = 0; i < rows.size(); i++) {
      for (int token : rows.get(i).seen().stream().toArray()) {
        both[at] = i;
        both[pairs + at] = token;
        at++;
      }
    }
    return scope.create(both, new Shape(2, pairs));
  }

  /** What kernels.py calls shape. */
  long[] shape() {
    return shape;
  }

  /** Rows of a product, so that each is computed alike whatever their number; see kernels.py. */
  int padded(int n) {
    return dtype() == DType.F32 ? (n + 3) / 4 * 4 : n;
  }

  /**
   * Whether attention can read a prompt once for several sequences: on a CPU, whose kernel tells
   * the sums of exponentials, and where every token up to a position sees all before it.
   */
  boolean sharesPrompts(int position) {
    return !kernels.device().isGpu()
        && config.windows().stream().allMatch(window -> window == 0 || window > position);
  }

  /** The adapters among these, stacked; kept until other ones are asked for. */
  AdapterStack stack(List<@Nullable PeftAdapter> ofRows) {
    List<PeftAdapter> wanted = distinct(ofRows);
    return stack != null && stack.adapters().equals(wanted) ? stack : newStack(wanted);
  }

  /** A stack that holds the adapters among these, and perhaps others. */
  AdapterStack stackWith(List<@Nullable PeftAdapter> ofRows) {
    List<PeftAdapter> wanted = distinct(ofRows);
    return stack != null && stack.adapters().containsAll(wanted) ? stack : newStack(wanted);
  }

  /** In the order in which they were loaded, whatever rows ask for them. */
  private List<PeftAdapter> distinct(List<@Nullable PeftAdapter> ofRows) {
    return adapters.values().stream().map(Loaded::adapter).filter(ofRows::contains).toList();
  }

  private AdapterStack newStack(List<PeftAdapter> wanted) {
    if (stack != null) {
      stack.close();
    }
    AdapterStack made = AdapterStack.of(kernels, config, wanted);
    stack = made;
    return made;
  }

  /**
   * A cache with this much room; what was in it is kept. Where more room would leave fewer than
   * {@code keep} rows, it is the one that is there already.
   */
  KvCache cache(int rows, int capacity, int keep) {
    KvCache old = cache;
    if (old != null && old.rows() >= rows && old.capacity() >= capacity) {
      return old;
    }
    int wanted = old == null ? rows : Math.max(rows, old.rows());
    int places = old == null ? capacity : Math.max(capacity, old.capacity());
    int fit;
    try {
      fit = KvCache.rowsThatFit(config, dtype(), wanted, places, cacheBudget);
    } catch (PlanException tooLarge) {
      if (old == null || capacity > old.capacity()) {
        throw tooLarge;
      }
      return old;
    }
    if (old != null && (fit < keep || (fit <= old.rows() && places <= old.capacity()))) {
      return old;
    }
    KvCache grown = KvCache.allocate(kernels, config, dtype(), fit, places);
    if (old != null) {
      if (keep > 0) {
        kernels.run("grow_cache", old.tensors(), grown.tensors());
      }
      old.close();
    }
    cache = grown;
    return grown;
  }

  /**
   * The ids of a request's prompt, for one that can be answered.
   *
   * @throws PlanException naming what cannot be: no samples, no or too many tokens, an adapter that
   *     is not loaded
   * @throws ContractException when the checkpoint lacks what the prompt needs
   */
  public List<Integer> check(GenerationRequest request) {
    if (request.samples() < 1) {
      throw new PlanException("request: samples is " + request.samples() + ", expected at least 1");
    }
    var unused = adapter(request.adapter());
    List<Integer> prompt = ids(request.prompt());
    if (prompt.size() > config.maxPositions()) {
      throw new PlanException(
          "prompt: " + prompt.size() + " tokens, the model's context has " + config.maxPositions());
    }
    return prompt;
  }

  /** The stop strings that are special tokens: text never shows them. */
  Set<Integer> stopIds(List<String> stops) {
    Set<Integer> ids = new HashSet<>();
    for (String stop : stops) {
      List<Integer> encoded = tokenizer().encode(stop, Specials.NONE);
      if (encoded.size() == 1
          && tokenizer().decode(encoded).isEmpty()
          && tokenizer().decodeAll(encoded).equals(stop)) {
        ids.addAll(encoded);
      }
    }
    return ids;
  }

  List<Integer> ids(Prompt prompt) {
    List<Integer> ids =
        switch (kind(prompt)) {
          case TEXT -> tokenizer().encode(((Prompt.Text) prompt).text(), Specials.ADDED);
          case IDS -> ((Prompt.Ids) prompt).ids();
          case CHAT -> chat(prompt);
        };
    for (int id : ids) {
      if (id < 0 || id >= config.vocabulary()) {
        throw kind(prompt) == Kind.IDS
            ? new PlanException(
                "prompt: token id " + id + " is outside the vocabulary of " + config.vocabulary())
            : new ContractException(
                directory.resolve(Tokenizer.FILE)
                    + ": gives the token id "
                    + id
                    + ", config.json has a vocab_size of "
                    + config.vocabulary());
      }
    }
    if (ids.isEmpty()) {
      throw new PlanException("prompt: has no tokens; expected at least one");
    }
    return ids;
  }

  /** The rendered conversation; its special tokens come from the template, none are added. */
  private List<Integer> chat(Prompt prompt) {
    ChatTemplate known = template();
    String text =
        prompt instanceof Prompt.Conversation conversation
            ? known.prompt(conversation)
            : text(known, (Prompt.Chat) prompt);
    return tokenizer().encode(text, Specials.NONE);
  }

  /** Read when the first conversation asks for it. */
  private synchronized ChatTemplate template() {
    ChatTemplate known = template;
    if (known == null) {
      known =
          ChatTemplate.find(directory, Clock.system(ZoneId.systemDefault()))
              .orElseThrow(
                  () ->
                      new ContractException(
                          directory + ": has no chat template; use plain prompts with this model"));
      template = known;
    }
    return known;
  }

  private static String text(ChatTemplate template, Prompt.Chat chat) {
    return template.prompt(chat.messages(), chat.tools(), chat.variables());
  }

  private enum Kind {
    TEXT,
    IDS,
    CHAT
  }

  private static Kind kind(Prompt prompt) {
    return prompt instanceof Prompt.Text
        ? Kind.TEXT
        : prompt instanceof Prompt.Ids ? Kind.IDS : Kind.CHAT;
  }

  String text(List<Integer> ids) {
    return tokenizer == null || ids.isEmpty() ? "" : tokenizer.decode(ids);
  }

  private static long availableMemory() {
    long bytes = AvailableMemory.bytes();
    if (bytes < Long.MAX_VALUE) {
      return bytes;
    }
    return ManagementFactory.getOperatingSystemMXBean()
            instanceof com.sun.management.OperatingSystemMXBean system
        ? system.getFreeMemorySize()
        : 2L << 30;
  }

  @Override
  public void close() {
    turn.lock();
    try {
      if (vectors != null) {
        vectors.close();
      }
      if (cache != null) {
        cache.close();
        cache = null;
      }
      if (stack != null) {
        stack.close();
        stack = null;
      }
      adapters.values().forEach(loaded -> loaded.owner().close());
      adapters.clear();
      weights.close();
      kernels.close();
      if (tokenizer != null) {
        tokenizer.close();
      }
    } finally {
      turn.unlock();
    }
  }
}
