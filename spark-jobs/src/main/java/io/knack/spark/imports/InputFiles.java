package io.knack.spark.imports;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.io.JsonEOFException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.github.luben.zstd.ZstdInputStream;
import io.knack.contracts.stage.PlanException;
import java.io.BufferedInputStream;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;

/** Finds the files of an input and looks at their first bytes. */
final class InputFiles {
  private static final int PEEK = 1 << 16;
  private static final Set<String> KNOWN =
      Set.of("json", "jsonl", "ndjson", "csv", "tsv", "parquet", "log", "txt");

  private InputFiles() {}

  /**
   * Every file of the inputs, directories in path order. In a directory only files of known endings
   * count, and of a Langfuse export only those that its manifests list.
   *
   * @throws PlanException for an input that does not exist or holds nothing
   */
  static List<InputFile> of(ImportPlan plan) {
    if (plan.input().isEmpty()) {
      throw new PlanException("import needs an input; name files or directories with --input PATH");
    }
    List<String> problems = new ArrayList<>();
    List<InputFile> files = new ArrayList<>();
    for (String input : plan.input()) {
      Path root = Path.of(input).toAbsolutePath().normalize();
      try {
        if (Files.isDirectory(root)) {
          List<Path> found = exported(root, walk(root));
          if (found.isEmpty()) {
            problems.add(
                "--input "
                    + input
                    + ": no file that ends in "
                    + String.join(", ", KNOWN.stream().sorted().toList())
                    + " (also .gz, .zst)");
          }
          for (Path file : found) {
            files.add(probe(files.size(), file, root.relativize(file).toString(), plan));
          }
        } else if (Files.isReadable(root)) {
          files.add(probe(files.size(), root, String.valueOf(root.getFileName()), plan));
        } else {
          problems.add("--input " + input + ": no such file or directory, or not readable");
        }
      } catch (IOException e) {
        problems.add("--input " + input + ": cannot be read: " + e.getMessage());
      }
    }
    if (!problems.isEmpty()) {
      throw new PlanException(problems);
    }
    return files;
  }

  private static List<Path> walk(Path root) throws IOException {
    try (Stream<Path> walk = Files.walk(root)) {
      return walk.filter(Files::isRegularFile)
          .filter(file -> !root.relativize(file).toString().matches("(.*/)?[._][^/]*(/.*)?"))
          .filter(file -> KNOWN.contains(ending(unpacked(file))))
          .sorted()
          .toList();
    }
  }

  /** Of an export that has manifests what they list; everything else as it is. */
  private static List<Path> exported(Path root, List<Path> files) throws IOException {
    Map<Path, Set<String>> listed = new HashMap<>();
    List<Path> others = new ArrayList<>();
    for (Path file : files) {
      Path folder = file.getParent();
      if (folder != null
          && folder.endsWith("manifests")
          && file.toString().endsWith(".json")
          && !folder.equals(root)
          && Files.size(file) < 1 << 24) {
        JsonNode manifest = manifest(file);
        if (manifest.path("files").isArray()) {
          Set<String> keys =
              listed.computeIfAbsent(
                  Objects.requireNonNull(folder.getParent()), export -> new HashSet<>());
          manifest.get("files").forEach(entry -> keys.add(tail(entry.path("key").asText())));
          continue;
        }
      }
      others.add(file);
    }
    return others.stream()
        .filter(
            file ->
                listed.entrySet().stream()
                    .noneMatch(
                        export -> {
                          String path =
                              export.getKey().relativize(file).toString().replace('\\', '/');
                          return file.startsWith(export.getKey())
                              && TABLE.matcher(path).matches()
                              && !export.getValue().contains(path);
                        }))
        .toList();
  }

  /** A file of a Langfuse export, from its project on. */
  private static final Pattern TABLE =
      Pattern.compile("(traces|observations|observations_v2|scores)/[^/]+");

  /** Missing for what is no JSON: it is then read like any other file, and says so. */
  private static JsonNode manifest(Path file) throws IOException {
    try {
      return SliceReader.JSON.readTree(file.toFile());
    } catch (JsonProcessingException e) {
      return MissingNode.getInstance();
    }
  }

  /** Table and name of an object's key; what is before may be cut off by a copy. */
  private static String tail(String key) {
    String[] parts = key.split("/", -1);
    int depth = Math.min(2, parts.length);
    return String.join("/", List.of(parts).subList(parts.length - depth, parts.length));
  }

  private static InputFile probe(int number, Path file, String source, ImportPlan plan)
      throws IOException {
    InputFile.Compression compression = compression(file);
    String ending = ending(unpacked(file));
    byte[] head;
    try (InputStream in = open(file, compression, plan.encoding())) {
      head = in.readNBytes(PEEK);
    } catch (IOException e) {
      head = new byte[0]; // its reader will say what is wrong
    }
    InputFile.Layout layout = layout(head, ending, plan.format());
    return new InputFile(number, file.toString(), source, layout, compression);
  }

  private static InputFile.Layout layout(byte[] head, String ending, ImportPlan.Format format) {
    if (startsWith(head, 'P', 'A', 'R', '1')) {
      return InputFile.Layout.PARQUET;
    }
    String text = new String(head, StandardCharsets.UTF_8).stripLeading();
    if (text.startsWith("\uFEFF")) {
      text = text.substring(1).stripLeading();
    }
    if (format == ImportPlan.Format.CSV
        || ((ending.equals("csv") || ending.equals("tsv")) && !text.startsWith("{"))) {
      return InputFile.Layout.CSV;
    }
    int end = text.indexOf('\n');
    String first = end < 0 ? text : text.substring(0, end);
    boolean goesOn = end >= 0 && !text.substring(end).isBlank();
    boolean structured = first.startsWith("[") || first.startsWith("{");
    boolean lines = ending.equals("jsonl") || ending.equals("ndjson");
    return !lines
            && ((structured && goesOn && isCutOff(first)) || (first.startsWith("[") && !goesOn))
        ? InputFile.Layout.DOCUMENT
        : InputFile.Layout.LINES;
  }

  /** Whether a line is the beginning of a JSON value that goes on in the next. */
  private static boolean isCutOff(String line) {
    try (JsonParser parser = new JsonFactory().createParser(line)) {
      JsonToken token = parser.nextToken();
      while (token != null) {
        token = parser.nextToken();
      }
      return false;
    } catch (JsonEOFException e) {
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  /** The file's bytes, unpacked; UTF-8 where a byte order mark says another Unicode form. */
  static InputStream open(Path file, InputFile.Compression compression, String encoding)
      throws IOException {
    InputStream raw = new BufferedInputStream(Files.newInputStream(file), 1 << 16);
    try {
      InputStream in =
          switch (compression) {
            case NONE -> raw;
            case GZIP -> new GZIPInputStream(raw, 1 << 16);
            case ZSTD -> new ZstdInputStream(raw);
          };
      byte[] mark = in.readNBytes(3);
      InputStream whole = new SequenceInputStream(new ByteArrayInputStream(mark), in);
      if (startsWith(mark, 0xFF, 0xFE) || startsWith(mark, 0xFE, 0xFF)) {
        return new Transcoded(whole, StandardCharsets.UTF_16);
      }
      Charset charset = Charset.forName(encoding);
      boolean wide = charset.name().startsWith("UTF-16") || charset.name().startsWith("UTF-32");
      return wide ? new Transcoded(whole, charset) : whole;
    } catch (IOException e) {
      raw.close();
      throw e;
    }
  }

  /**
   * Whether a file's bytes can be read from any place: neither packed nor of two-byte characters.
   */
  static boolean splittable(InputFile file, String encoding) throws IOException {
    if (file.layout() != InputFile.Layout.LINES
        || file.compression() != InputFile.Compression.NONE) {
      return false;
    }
    try (InputStream in = Files.newInputStream(file.file())) {
      byte[] mark = in.readNBytes(2);
      String name = Charset.forName(encoding).name();
      return !startsWith(mark, 0xFF, 0xFE)
          && !startsWith(mark, 0xFE, 0xFF)
          && !name.startsWith("UTF-16")
          && !name.startsWith("UTF-32");
    }
  }

  private static InputFile.Compression compression(Path file) throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      byte[] magic = in.readNBytes(4);
      if (startsWith(magic, 0x1F, 0x8B)) {
        return InputFile.Compression.GZIP;
      }
      return startsWith(magic, 0x28, 0xB5, 0x2F, 0xFD)
          ? InputFile.Compression.ZSTD
          : InputFile.Compression.NONE;
    }
  }

  private static boolean startsWith(byte[] bytes, int... prefix) {
    if (bytes.length < prefix.length) {
      return false;
    }
    for (int i = 0; i < prefix.length; i++) {
      if ((bytes[i] & 0xFF) != prefix[i]) {
        return false;
      }
    }
    return true;
  }

  private static String unpacked(Path file) {
    return String.valueOf(file.getFileName())
        .toLowerCase(Locale.ROOT)
        .replaceFirst("\\.(gz|gzip|zst|zstd)$", "");
  }

  private static String ending(String name) {
    return name.substring(name.lastIndexOf('.') + 1);
  }

  /** A factory for records: long strings are bounded by the line's length already. */
  static JsonFactory jsonFactory() {
    return JsonFactory.builder()
        .streamReadConstraints(
            StreamReadConstraints.builder().maxStringLength(1 << 27).maxNestingDepth(500).build())
        .build();
  }
}
