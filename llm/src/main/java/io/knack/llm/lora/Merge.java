package io.knack.llm.lora;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.knack.contracts.stage.ContractException;
import io.knack.contracts.stage.OrderlyStop;
import io.knack.contracts.stage.PlanException;
import io.knack.contracts.stage.TemporaryException;
import io.knack.contracts.store.DurableFiles;
import io.knack.llm.checkpoint.Checkpoint;
import io.knack.llm.checkpoint.DecoderTensors;
import io.knack.llm.checkpoint.ModelConfig;
import io.knack.llm.checkpoint.SafetensorsWriter;
import io.knack.llm.checkpoint.SmallJson;
import io.knack.llm.kernel.DType;
import io.knack.llm.kernel.Kernels;
import io.knack.llm.text.ChatTemplate;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Folds an adapter into its base: a plain checkpoint in the base's types, one tensor in memory. */
public final class Merge {
  /** Bytes of a tensor that are written at once. */
  /** What is copied as it is, and would be found damaged by whoever loads the result. */
  private static final List<String> READ_LATER =
      List.of(
          "tokenizer.json",
          "tokenizer_config.json",
          "special_tokens_map.json",
          "generation_config.json");

  private static final long PIECE = 1L << 20;

  /** Weights in the formats of other programs and older ones: they are those before the merge. */
  private static final Pattern WEIGHTS =
      Pattern.compile(
          ".*\\.(safetensors|bin|pt|pth|ckpt|h5|msgpack|ot|gguf|ggml|onnx|onnx_data|npz)(\\.index\\.json)?");

  private Merge() {}

  /**
   * Writes {@code out}: the base's files, with {@code W + scale B A} in the place of every adapted
   * matrix. The sum is formed in float32 and rounded once. The directory appears whole or not at
   * all, also when the process is asked to end.
   *
   * @throws PlanException when {@code out} is there already or cannot be created
   * @throws ContractException naming the tensor when base and adapter do not fit each other, or
   *     when a sum is too large for the base's type
   * @throws TemporaryException when the process was asked to end
   */
  public static void run(Path base, Path adapterDirectory, Path out) throws IOException {
    if (Files.exists(out, LinkOption.NOFOLLOW_LINKS)) {
      throw new PlanException(out + ": is there already; name a directory to create");
    }
    Path whole = out.toAbsolutePath().normalize();
    Path parent = whole.getParent();
    if (parent == null) {
      throw new PlanException(out + ": cannot be created; name a directory to create");
    }
    ModelConfig model = ModelConfig.of(base);
    Checkpoint checkpoint = Checkpoint.open(base);
    DecoderTensors.check(checkpoint, model);
    READ_LATER.stream().map(base::resolve).filter(Files::isRegularFile).forEach(SmallJson::check);
    try (OrderlyStop stop = new OrderlyStop();
        Kernels kernels = Kernels.load("cpu")) {
      kernels.gradients(Kernels.Gradients.OFF);
      PeftAdapter adapter = PeftAdapter.read(kernels, kernels.manager(), adapterDirectory, model);
      DecoderTensors.checkTied(kernels, kernels.manager(), checkpoint, model);
      Path staged = staged(out, parent, "." + whole.getFileName() + "-");
      try {
        writeWeights(kernels, checkpoint, adapter, staged, stop);
        copyRest(base, staged);
        Files.setPosixFilePermissions(staged, PosixFilePermissions.fromString("rwxr-xr-x"));
        publish(staged, whole, out);
      } catch (IOException | RuntimeException e) {
        DurableFiles.deleteTree(staged);
        throw e;
      }
    }
  }

  private static Path staged(Path out, Path parent, String prefix) {
    try {
      Files.createDirectories(parent);
      return Files.createTempDirectory(parent, prefix);
    } catch (IOException e) {
      throw new PlanException(
          out + ": cannot be created: " + reason(e) + "; name a directory you may write");
    }
  }

  /** In words: the message of most of these is a path alone. */
  private static String reason(IOException problem) {
    if (problem instanceof FileAlreadyExistsException) {
      return problem.getMessage() + " is no directory";
    }
    if (problem instanceof AccessDeniedException) {
      return problem.getMessage() + " may not be written";
    }
    if (problem instanceof NoSuchFileException) {
      return problem.getMessage() + " is no place for a directory";
    }
    return String.valueOf(problem.getMessage());
  }

  private static void publish(Path staged, Path whole, Path out) throws IOException {
    try {
      Files.move(staged, whole, StandardCopyOption.ATOMIC_MOVE);
    } catch (FileSystemException e) {
      if (Files.exists(whole, LinkOption.NOFOLLOW_LINKS)) {
        throw new PlanException(
            out + ": was created by another process meanwhile; name another directory");
      }
      throw e;
    }
  }

  private static void writeWeights(
      Kernels kernels, Checkpoint checkpoint, PeftAdapter adapter, Path out, OrderlyStop stop)
      throws IOException {
    Map<String, SafetensorsWriter.Declaration> declared = new TreeMap<>();
    for (String name : checkpoint.names()) {
      declared.put(
          name,
          new SafetensorsWriter.Declaration(checkpoint.type(name).name(), checkpoint.shape(name)));
    }
    try (SafetensorsWriter writer =
        SafetensorsWriter.create(out.resolve("model.safetensors"), declared)) {
      for (String name : checkpoint.names()) {
        if (stop.requested()) {
          throw new TemporaryException(
              "asked to end before the merge was whole; nothing is left of it");
        }
        write(kernels, checkpoint, adapter, name, writer);
      }
    }
  }

  /** Configuration, tokenizer, templates, licence. */
  private static void copyRest(Path base, Path out) throws IOException {
    try (Stream<Path> files = Files.list(base)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        String name = String.valueOf(file.getFileName());
        // With an adapter_config.json beside it, transformers would take the result for an adapter.
        if (!WEIGHTS.matcher(name).matches() && !name.equals("adapter_config.json")) {
          Files.copy(file, out.resolve(name));
        }
      }
    }
    Path templates = base.resolve(ChatTemplate.ADDITIONAL);
    if (Files.isDirectory(templates)) {
      Path copies = Files.createDirectory(out.resolve(ChatTemplate.ADDITIONAL));
      try (Stream<Path> files = Files.list(templates)) {
        for (Path file : files.filter(Files::isRegularFile).toList()) {
          Files.copy(file, copies.resolve(String.valueOf(file.getFileName())));
        }
      }
    }
  }

  private static void write(
      Kernels kernels,
      Checkpoint checkpoint,
      PeftAdapter adapter,
      String name,
      SafetensorsWriter writer)
      throws IOException {
    DType type = checkpoint.type(name);
    long[] shape = checkpoint.shape(name).stream().mapToLong(Long::longValue).toArray();
    try (NDManager scope = kernels.manager().newSubManager()) {
      NDArray tensor = checkpoint.load(kernels, scope, name, type, shape);
      String module = name.endsWith(".weight") ? name.substring(0, name.length() - 7) : name;
      PeftAdapter.Pair pair = adapter.pairs().get(module);
      if (pair != null) {
        tensor =
            kernels.tensor(
                scope, "merge", tensor, pair.a(), pair.b(), adapter.config().scale(module));
        if (kernels.number("all_finite", tensor) == 0) {
          throw new ContractException(
              checkpoint.directory()
                  + ": tensor '"
                  + name
                  + "' is "
                  + type
                  + ", which cannot hold the sum with the adapter: it overflows to infinity; store"
                  + " the base as BF16 or F32, or check the adapter's scale");
        }
      }
      if (type == DType.BF16) {
        tensor = kernels.tensor(scope, "bf16_as_bits", tensor);
      }
      writePieces(kernels, tensor, name, writer);
    }
    System.gc();
  }

  /** A buffer holds at most 2 GB, some rows at a time. */
  private static void writePieces(
      Kernels kernels, NDArray tensor, String name, SafetensorsWriter writer) throws IOException {
    long bytes = tensor.size() * tensor.getDataType().getNumOfBytes();
    if (bytes <= PIECE) {
      writer.write(name, tensor.toByteBuffer());
      return;
    }
    long rows = tensor.getShape().get(0);
    long some = Math.max(1, PIECE / (bytes / rows));
    for (long from = 0; from < rows; from += some) {
      try (NDManager scope = kernels.manager().newSubManager()) {
        NDArray piece =
            kernels.tensor(scope, "rows_from", tensor, from, Math.min(rows, from + some));
        writer.write(name, piece.toByteBuffer());
      }
    }
  }
}
