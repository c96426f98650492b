package io.knack.llm.checkpoint;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import com.fasterxml.jackson.databind.JsonNode;
import io.knack.contracts.stage.ContractException;
import io.knack.llm.kernel.DType;
import io.knack.llm.kernel.Kernels;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The tensors of a checkpoint directory: {@code model.safetensors}, or the shards that {@code
 * model.safetensors.index.json} lists. Opening reads headers only.
 */
public final class Checkpoint {
  /** One tensor is mapped in pieces of this size at most. */
  private static final int PIECE = 1 << 30;

  private final Path directory;
  private final SortedMap<String, SafetensorsFile> files;

  private Checkpoint(Path directory, SortedMap<String, SafetensorsFile> files) {
    this.directory = directory;
    this.files = files;
  }

  /**
   * Opens all files and checks their headers and the index.
   *
   * @throws ContractException naming the file and tensor that is missing or wrong
   */
  public static Checkpoint open(Path directory) {
    if (!Files.isDirectory(directory)) {
      throw new ContractException(
          directory + ": no such directory; expected a Hugging Face checkpoint");
    }
    Path single = directory.resolve("model.safetensors");
    Path index = directory.resolve("model.safetensors.index.json");
    SortedMap<String, SafetensorsFile> files = new TreeMap<>();
    if (Files.exists(single)) {
      SafetensorsFile file = SafetensorsFile.open(single);
      file.entries().keySet().forEach(name -> files.put(name, file));
    } else if (Files.exists(index)) {
      Map<String, SafetensorsFile> shards = new HashMap<>();
      for (Map.Entry<String, JsonNode> item : weightMap(index).properties()) {
        Path path = shard(directory, index, item.getKey(), item.getValue());
        SafetensorsFile file =
            shards.computeIfAbsent(path.toString(), s -> SafetensorsFile.open(path));
        if (!file.entries().containsKey(item.getKey())) {
          throw new ContractException(
              path
                  + ": has no tensor '"
                  + item.getKey()
                  + "', which "
                  + index.getFileName()
                  + " places there");
        }
        files.put(item.getKey(), file);
      }
    } else {
      throw new ContractException(
          directory
              + ": has neither model.safetensors nor model.safetensors.index.json; "
              + "other weight formats are not read, convert the checkpoint to safetensors");
    }
    return new Checkpoint(directory, files);
  }

  /** A shard is a file of the directory itself: an index may not name others. */
  private static Path shard(Path directory, Path index, String tensor, JsonNode name) {
    String shard = name.asText("");
    if (!name.isTextual() || !shard.matches("[\\w.-]+") || shard.startsWith(".")) {
      throw new ContractException(
          index
              + ": tensor '"
              + tensor
              + "' should be in "
              + name
              + ", which is no name of a file in "
              + directory);
    }
    Path path = directory.resolve(shard);
    if (!Files.isRegularFile(path)) {
      throw new ContractException(
          index
              + ": tensor '"
              + tensor
              + "' should be in '"
              + shard
              + "', which is missing from "
              + directory
              + "; download the shard again");
    }
    return path;
  }

  private static JsonNode weightMap(Path index) {
    JsonNode map = SmallJson.read(index).path("weight_map");
    if (!map.isObject()) {
      throw new ContractException(index + ": has no weight_map");
    }
    return map;
  }

  public Path directory() {
    return directory;
  }

  /** Sorted. */
  public java.util.Set<String> names() {
    return Collections.unmodifiableSet(files.keySet());
  }

  public boolean has(String name) {
    return files.containsKey(name);
  }

  /**
   * What "as stored" means for the whole: the element type of the first tensor, by name, that holds
   * floating-point numbers; refused where that is none of F32, F16 and BF16.
   */
  public DType storedType() {
    return files.entrySet().stream()
        .filter(named -> named.getValue().entry(named.getKey()).type().contains("F"))
        .findFirst()
        .map(named -> type(named.getKey()))
        .orElse(DType.F32);
  }

  /** A tensor's element type; refused unless it is F32, F16 or BF16. */
  public DType type(String name) {
    SafetensorsFile file = file(name);
    return switch (file.entry(name).type()) {
      case "F32" -> DType.F32;
      case "F16" -> DType.F16;
      case "BF16" -> DType.BF16;
      default ->
          throw new ContractException(
              file.path()
                  + ": tensor '"
                  + name
                  + "' is "
                  + file.entry(name).type()
                  + "; supported: F32, F16, BF16");
    };
  }

  public List<Long> shape(String name) {
    return file(name).entry(name).shape();
  }

  /**
   * @throws ContractException when the tensor is missing or of another shape
   */
  void requireShape(String name, List<Long> expected) {
    List<Long> shape = shape(name);
    if (!shape.equals(expected)) {
      throw new ContractException(
          file(name).path()
              + ": tensor '"
              + name
              + "' has shape "
              + shape
              + ", config.json asks for "
              + expected);
    }
  }

  /** The file that holds a tensor. */
  public Path fileOf(String name) {
    return file(name).path();
  }

  private SafetensorsFile file(String name) {
    SafetensorsFile file = files.get(name);
    if (file == null) {
      throw new ContractException(
          directory
              + ": has no tensor '"
              + name
              + "', which its config.json asks for"
              + (files.isEmpty() ? "" : "; its first is '" + files.firstKey() + "'")
              + "; expected the names that transformers saves");
    }
    return file;
  }

  /**
   * Loads a tensor on the kernels' device in the wanted type. On CPU with the stored type equal to
   * the wanted one the result lies over the mapped file, read-only: writing to it faults. Values
   * are checked: NaN or infinity is refused by name.
   *
   * @param expected the shape the architecture asks for
   * @throws ContractException naming file and tensor
   */
  public NDArray load(
      Kernels kernels, NDManager owner, String name, DType wanted, long... expected) {
    SafetensorsFile file = file(name);
    SafetensorsFile.Entry entry = file.entry(name);
    List<Long> shape = entry.shape();
    requireShape(name, java.util.Arrays.stream(expected).boxed().toList());
    DType stored = type(name);
    NDArray result;
    if (entry.bytes() > PIECE) {
      result = inPieces(kernels, owner, file, entry, stored, wanted);
    } else if (stored == wanted && !kernels.device().isGpu()) {
      result = piece(kernels, owner, file, entry, 0, entry.elements(), shape);
    } else {
      try (NDManager scope = owner.newSubManager()) {
        NDArray raw = piece(kernels, scope, file, entry, 0, entry.elements(), shape);
        result = kernels.tensor(owner, "place", raw, wanted.torchCode(), kernels.deviceName());
      }
    }
    if (kernels.number("all_finite", result) == 0) {
      throw new ContractException(
          file.path() + ": tensor '" + name + "' has NaN or infinite values; the file is corrupt");
    }
    return result;
  }

  /**
   * A tensor on the CPU in its stored type, for looking rows up; its values are not checked here.
   * It lies over the mapped file, read-only, and only what is read becomes resident.
   */
  public NDArray lookup(Kernels kernels, NDManager owner, String name) {
    SafetensorsFile file = file(name);
    SafetensorsFile.Entry entry = file.entry(name);
    DType stored = type(name);
    if (entry.bytes() > Integer.MAX_VALUE) {
      return inPieces(kernels, owner, file, entry, stored, stored);
    }
    return piece(kernels, owner, file, entry, 0, entry.elements(), entry.shape());
  }

  /** A tensor larger than one buffer may be: allocated whole, filled by rows. */
  private static NDArray inPieces(
      Kernels kernels,
      NDManager owner,
      SafetensorsFile file,
      SafetensorsFile.Entry entry,
      DType stored,
      DType wanted) {
    long[] shape = entry.shape().stream().mapToLong(Long::longValue).toArray();
    NDArray whole =
        kernels.tensor(owner, "allocate", shape, wanted.torchCode(), kernels.deviceName());
    long step = PIECE / stored.bytes();
    for (long from = 0; from < entry.elements(); from += step) {
      long count = Math.min(step, entry.elements() - from);
      try (NDManager scope = owner.newSubManager()) {
        NDArray piece = piece(kernels, scope, file, entry, from, count, List.of(count));
        kernels.run("fill", whole, piece, from);
      }
      System.gc(); // lets go of the mapped piece: its pages count as resident
    }
    return whole;
  }

  private static NDArray piece(
      Kernels kernels,
      NDManager owner,
      SafetensorsFile file,
      SafetensorsFile.Entry entry,
      long from,
      long count,
      List<Long> shape) {
    DType type = DType.valueOf(entry.type());
    Shape dimensions = new Shape(shape.stream().mapToLong(Long::longValue).toArray());
    if (count == 0) {
      return owner.zeros(dimensions);
    }
    NDArray raw =
        kernels.over(
            owner,
            file.map(entry, from * type.bytes(), Math.toIntExact(count * type.bytes())),
            dimensions,
            type.carrier());
    if (type != DType.BF16) {
      return raw;
    }
    // The raw tensor keeps the buffer; both live in the same owner.
    return kernels.tensor(owner, "bits_as_bf16", raw);
  }
}
