package io.knack.llm.checkpoint;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadFeature;
import io.knack.contracts.stage.ContractException;
import io.knack.contracts.store.Jsons;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * One safetensors file: its header, checked in full when opened, and its tensors, mapped one by
 * one.
 *
 * <p>Format: u64 little-endian header length; JSON {@code name -> {dtype, shape, data_offsets}};
 * then the data, row-major, without holes.
 */
public final class SafetensorsFile {
  private static final long MAX_HEADER = 100_000_000;
  private static final int MAX_DIMENSIONS = 16;
  private static final JsonFactory JSON =
      JsonFactory.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build();

  /** Bytes per element of every element type of the format. */
  private static final Map<String, Integer> WIDTHS =
      Map.ofEntries(
          Map.entry("F64", 8),
          Map.entry("F32", 4),
          Map.entry("F16", 2),
          Map.entry("BF16", 2),
          Map.entry("I64", 8),
          Map.entry("I32", 4),
          Map.entry("I16", 2),
          Map.entry("I8", 1),
          Map.entry("U8", 1),
          Map.entry("BOOL", 1));

  /**
   * A tensor's place.
   *
   * @param type the format's own name, such as {@code BF16}
   * @param offset in the file, in bytes
   */
  public record Entry(String name, String type, List<Long> shape, long offset, long bytes) {
    public long elements() {
      return shape.stream().reduce(1L, Math::multiplyExact);
    }
  }

  private final Path path;
  private final Map<String, Entry> entries;
  private final Map<String, String> metadata;

  private SafetensorsFile(Path path, Map<String, Entry> entries, Map<String, String> metadata) {
    this.path = path;
    this.entries = Collections.unmodifiableMap(entries);
    this.metadata = Collections.unmodifiableMap(metadata);
  }

  /**
   * Reads and checks the header.
   *
   * @throws ContractException when the file is missing, truncated or not what the format says
   */
  public static SafetensorsFile open(Path path) {
    if (!Files.isRegularFile(path)) {
      throw new ContractException(
          path + ": no such file; expected a safetensors file of the checkpoint");
    }
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      return parse(path, channel);
    } catch (IOException e) {
      throw new ContractException(path + ": cannot be read: " + e.getMessage(), e);
    }
  }

  private static SafetensorsFile parse(Path path, FileChannel channel) throws IOException {
    long size = channel.size();
    if (size < 8) {
      throw new ContractException(
          path + ": truncated: " + size + " bytes, a safetensors file has at least 8");
    }
    long length = read(channel, 0, 8).order(ByteOrder.LITTLE_ENDIAN).getLong();
    if (length < 2 || length > MAX_HEADER) {
      throw new ContractException(
          path + ": not a safetensors file: header length " + Long.toUnsignedString(length));
    }
    if (length > size - 8) {
      throw new ContractException(
          path
              + ": truncated: the header takes "
              + length
              + " bytes, "
              + (size - 8)
              + " are there");
    }
    byte[] header = read(channel, 8, (int) length).array();
    Map<String, Entry> entries = new LinkedHashMap<>();
    Map<String, String> metadata = new TreeMap<>();
    // Read as a stream: a header may be large and hold anything.
    try (JsonParser json = JSON.createParser(header)) {
      if (json.nextToken() != JsonToken.START_OBJECT) {
        throw new ContractException(path + ": the header is not a JSON object");
      }
      for (String name = json.nextFieldName(); name != null; name = json.nextFieldName()) {
        json.nextToken();
        if (name.equals("__metadata__")) {
          metadata(path, json, metadata);
        } else {
          entries.put(name, entry(path, name, json, 8 + length));
        }
      }
      if (json.nextToken() != null) {
        throw new ContractException(path + ": the header goes on after its JSON object");
      }
    } catch (JsonProcessingException e) {
      throw new ContractException(path + ": the header is not JSON: " + Jsons.words(e), e);
    }
    checkLayout(path, entries.values(), 8 + length, size);
    return new SafetensorsFile(path, entries, metadata);
  }

  private static void metadata(Path path, JsonParser json, Map<String, String> into)
      throws IOException {
    if (json.currentToken() != JsonToken.START_OBJECT) {
      throw new ContractException(path + ": __metadata__ is not a JSON object");
    }
    for (String name = json.nextFieldName(); name != null; name = json.nextFieldName()) {
      if (json.nextToken() == null || !json.currentToken().isScalarValue()) {
        throw new ContractException(path + ": __metadata__ '" + name + "' is not text");
      }
      into.put(name, json.getText());
    }
  }

  private static Entry entry(Path path, String name, JsonParser json, long base)
      throws IOException {
    String where = path + ": tensor '" + name + "': ";
    String type = "";
    List<Long> shape = null;
    List<Long> offsets = null;
    if (json.currentToken() != JsonToken.START_OBJECT) {
      throw new ContractException(where + "the header has " + json.getText() + ", not an object");
    }
    for (String key = json.nextFieldName(); key != null; key = json.nextFieldName()) {
      json.nextToken();
      switch (key) {
        case "dtype" -> type = json.getText();
        case "shape" -> shape = numbers(where, key, json);
        case "data_offsets" -> offsets = numbers(where, key, json);
        default -> throw new ContractException(where + "the header has an unknown key " + key);
      }
    }
    Integer width = WIDTHS.get(type);
    if (width == null) {
      throw new ContractException(
          where
              + "dtype '"
              + type
              + "' is not supported; known: "
              + WIDTHS.keySet().stream().sorted().toList());
    }
    if (shape == null || offsets == null || offsets.size() != 2) {
      throw new ContractException(where + "the header lacks shape or data_offsets");
    }
    long bytes = width;
    try {
      for (long dimension : shape) {
        bytes = Math.multiplyExact(bytes, dimension);
      }
    } catch (ArithmeticException e) {
      throw new ContractException(where + "shape " + shape + " overflows", e);
    }
    long start = offsets.get(0);
    long end = offsets.get(1);
    if (end < start || end - start != bytes) {
      throw new ContractException(
          where
              + "data_offsets ["
              + start
              + ", "
              + end
              + "] hold "
              + (end - start)
              + " bytes, "
              + type
              + " "
              + shape
              + " takes "
              + bytes);
    }
    if (end > Long.MAX_VALUE - base) {
      throw new ContractException(where + "data_offsets end at " + end + ", beyond any file");
    }
    return new Entry(name, type, List.copyOf(shape), base + start, bytes);
  }

  /** A short list of whole numbers from 0 up. */
  private static List<Long> numbers(String where, String key, JsonParser json) throws IOException {
    List<Long> numbers = new ArrayList<>();
    if (json.currentToken() != JsonToken.START_ARRAY) {
      throw new ContractException(where + key + " is " + json.getText() + ", expected a list");
    }
    while (json.nextToken() != JsonToken.END_ARRAY) {
      if (json.currentToken() != JsonToken.VALUE_NUMBER_INT
          || json.getNumberType() == JsonParser.NumberType.BIG_INTEGER
          || json.getLongValue() < 0) {
        throw new ContractException(
            where + key + " has " + json.getText() + ", expected whole numbers from 0 up");
      }
      numbers.add(json.getLongValue());
      if (numbers.size() > MAX_DIMENSIONS) {
        throw new ContractException(where + key + " has more than " + MAX_DIMENSIONS + " numbers");
      }
    }
    return numbers;
  }

  private static void checkLayout(
      Path path, java.util.Collection<Entry> entries, long base, long size) {
    long at = base;
    List<Entry> sorted =
        entries.stream()
            .sorted(Comparator.comparingLong(Entry::offset).thenComparing(Entry::bytes))
            .toList();
    for (Entry entry : sorted) {
      if (entry.offset() + entry.bytes() > size) {
        throw new ContractException(
            path
                + ": truncated: tensor '"
                + entry.name()
                + "' ends at byte "
                + (entry.offset() + entry.bytes())
                + ", the file has "
                + size
                + "; download it again");
      }
      if (entry.offset() != at) {
        throw new ContractException(
            path
                + ": corrupt: tensor '"
                + entry.name()
                + "' starts at byte "
                + entry.offset()
                + ", the one before ends at "
                + at);
      }
      at += entry.bytes();
    }
    if (at != size) {
      throw new ContractException(
          path + ": corrupt: the tensors end at byte " + at + ", the file has " + size);
    }
  }

  private static ByteBuffer read(FileChannel channel, long position, int length)
      throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(length);
    while (buffer.hasRemaining()) {
      if (channel.read(buffer, position + buffer.position()) < 0) {
        throw new IOException("unexpected end of file");
      }
    }
    return buffer.flip();
  }

  public Path path() {
    return path;
  }

  /** In the order of the header. */
  public Map<String, Entry> entries() {
    return entries;
  }

  public Map<String, String> metadata() {
    return metadata;
  }

  /**
   * The tensor, refused by name when absent.
   *
   * @throws ContractException when the file has no such tensor
   */
  public Entry entry(String name) {
    Entry entry = entries.get(name);
    if (entry == null) {
      throw new ContractException(path + ": has no tensor '" + name + "'");
    }
    return entry;
  }

  /**
   * Maps part of a tensor's bytes, read-only in the file and private in memory.
   *
   * @param from in bytes from the tensor's start
   * @param length at most 2 GiB - 1
   */
  public ByteBuffer map(Entry entry, long from, int length) {
    if (from < 0 || from + length > entry.bytes()) {
      throw new IndexOutOfBoundsException(entry + " from " + from + " length " + length);
    }
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      return channel
          .map(FileChannel.MapMode.READ_ONLY, entry.offset() + from, length)
          .order(ByteOrder.LITTLE_ENDIAN);
    } catch (IOException e) {
      throw new ContractException(
          path + ": tensor '" + entry.name() + "' cannot be mapped: " + e.getMessage(), e);
    }
  }
}
