package io.knack.llm;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** The tiny checkpoints of {@code src/test/resources/parity}, and copies of them to spoil. */
public final class Fixtures {
  private Fixtures() {}

  public static Path checkpoint(String name) {
    return Path.of("src/test/resources/parity", name);
  }

  public static Path adapter(String name, String adapter) {
    return checkpoint(name).resolve("adapters").resolve(adapter);
  }

  public static JsonNode expected(String name) throws IOException {
    return new ObjectMapper().readTree(checkpoint(name).resolve("expected.json").toFile());
  }

  /** Token ids that differ from number to number. */
  public static List<Integer> prompt(int number, int length) {
    return IntStream.range(0, length).mapToObj(i -> (37 * number + 11 * i + i * i) % 256).toList();
  }

  public static Path copy(Path from, Path to) throws IOException {
    Files.createDirectories(to);
    try (Stream<Path> files = Files.list(from)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        Files.copy(file, to.resolve(file.getFileName()));
      }
    }
    return to;
  }

  /** Replaces text in a file that must hold it. */
  public static void replace(Path file, String old, String with) throws IOException {
    String text = Files.readString(file);
    if (!text.contains(old)) {
      throw new IllegalArgumentException(file + " has no " + old);
    }
    Files.writeString(file, text.replace(old, with));
  }

  /** Replaces text in the header of a safetensors file by text of the same length. */
  public static void replaceInHeader(Path file, String old, String with) throws IOException {
    byte[] bytes = Files.readAllBytes(file);
    int length = (int) ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getLong();
    String header = new String(bytes, 8, length, StandardCharsets.UTF_8);
    if (!header.contains(old) || old.length() != with.length()) {
      throw new IllegalArgumentException(old + " -> " + with);
    }
    byte[] changed = header.replace(old, with).getBytes(StandardCharsets.UTF_8);
    System.arraycopy(changed, 0, bytes, 8, length);
    Files.write(file, bytes);
  }

  /** Overwrites the last float32 of a safetensors file. */
  public static void lastFloat(Path file, float value) throws IOException {
    byte[] bytes = Files.readAllBytes(file);
    ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).putFloat(bytes.length - 4, value);
    Files.write(file, bytes);
  }
}
