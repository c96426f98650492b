package io.knack.llm.checkpoint;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * Writes a safetensors file one tensor at a time: declare all tensors, then give their bytes in the
 * order of their names. The file is forced to disk when closed.
 */
public final class SafetensorsWriter implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();

  /**
   * A tensor to come.
   *
   * @param type {@code F32}, {@code F16} or {@code BF16}
   */
  public record Declaration(String type, List<Long> shape) {
    long bytes() {
      long bytes = type.equals("F32") ? 4 : 2;
      for (long dimension : shape) {
        bytes = Math.multiplyExact(bytes, dimension);
      }
      return bytes;
    }
  }

  private final FileChannel channel;
  private final java.util.Iterator<Map.Entry<String, Declaration>> rest;
  private long due;
  private String current = "";

  private SafetensorsWriter(FileChannel channel, SortedMap<String, Declaration> tensors) {
    this.channel = channel;
    this.rest = tensors.entrySet().iterator();
  }

  /** Writes the header; the tensors' bytes are due next, sorted by name. */
  public static SafetensorsWriter create(Path path, Map<String, Declaration> tensors)
      throws IOException {
    SortedMap<String, Declaration> sorted = new TreeMap<>(tensors);
    ObjectNode header = JSON.createObjectNode();
    header.putObject("__metadata__").put("format", "pt");
    long offset = 0;
    for (Map.Entry<String, Declaration> tensor : sorted.entrySet()) {
      ObjectNode node = header.putObject(tensor.getKey());
      node.put("dtype", tensor.getValue().type());
      var shape = node.putArray("shape");
      for (long dimension : tensor.getValue().shape()) {
        shape.add(dimension);
      }
      long end = offset + tensor.getValue().bytes();
      node.putArray("data_offsets").add(offset).add(end);
      offset = end;
    }
    byte[] json = JSON.writeValueAsString(header).getBytes(StandardCharsets.UTF_8);
    int padded = (json.length + 7) / 8 * 8;
    ByteBuffer bytes = ByteBuffer.allocate(8 + padded).order(ByteOrder.LITTLE_ENDIAN);
    bytes.putLong(padded).put(json);
    while (bytes.hasRemaining()) {
      bytes.put((byte) ' ');
    }
    FileChannel channel =
        FileChannel.open(
            path,
            StandardOpenOption.CREATE,
            StandardOpenOption.TRUNCATE_EXISTING,
            StandardOpenOption.WRITE);
    SafetensorsWriter writer = new SafetensorsWriter(channel, sorted);
    writer.put(bytes.flip());
    return writer;
  }

  /** Gives the next bytes of a tensor; call repeatedly for one larger than a buffer. */
  public void write(String name, ByteBuffer bytes) throws IOException {
    if (due == 0) {
      Map.Entry<String, Declaration> next = rest.next();
      current = next.getKey();
      due = next.getValue().bytes();
    }
    if (!current.equals(name) || bytes.remaining() > due) {
      throw new IllegalStateException(
          due
              + " bytes of '"
              + current
              + "' are due, not "
              + bytes.remaining()
              + " of '"
              + name
              + "'");
    }
    due -= bytes.remaining();
    put(bytes);
  }

  private void put(ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }

  @Override
  public void close() throws IOException {
    try (channel) {
      channel.force(true);
    }
  }
}
