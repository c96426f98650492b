package io.knack.trainer;

import io.knack.llm.checkpoint.SafetensorsFile;
import io.knack.llm.checkpoint.SafetensorsWriter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Named fp32 vectors in a safetensors file. */
final class Tensors {
  private static final int PIECE = 1 << 22;

  private Tensors() {}

  static void write(Path file, Map<String, float[]> tensors) throws IOException {
    Map<String, List<Long>> shapes = new TreeMap<>();
    tensors.forEach((name, values) -> shapes.put(name, List.of((long) values.length)));
    write(file, tensors, shapes);
  }

  static void write(Path file, Map<String, float[]> tensors, Map<String, List<Long>> shapes)
      throws IOException {
    Map<String, SafetensorsWriter.Declaration> declarations = new TreeMap<>();
    shapes.forEach(
        (name, shape) -> declarations.put(name, new SafetensorsWriter.Declaration("F32", shape)));
    try (SafetensorsWriter writer = SafetensorsWriter.create(file, declarations)) {
      for (Map.Entry<String, float[]> tensor : new TreeMap<>(tensors).entrySet()) {
        float[] values = tensor.getValue();
        for (int from = 0; from < values.length; from += PIECE) {
          int count = Math.min(PIECE, values.length - from);
          ByteBuffer bytes = ByteBuffer.allocate(4 * count).order(ByteOrder.LITTLE_ENDIAN);
          bytes.asFloatBuffer().put(values, from, count);
          writer.write(tensor.getKey(), bytes);
        }
      }
    }
  }

  static Map<String, float[]> read(Path path) {
    SafetensorsFile file = SafetensorsFile.open(path);
    Map<String, float[]> tensors = new TreeMap<>();
    for (SafetensorsFile.Entry entry : file.entries().values()) {
      float[] values = new float[Math.toIntExact(entry.elements())];
      for (int from = 0; from < values.length; from += PIECE) {
        int count = Math.min(PIECE, values.length - from);
        file.map(entry, 4L * from, 4 * count)
            .order(ByteOrder.LITTLE_ENDIAN)
            .asFloatBuffer()
            .get(values, from, count);
      }
      tensors.put(entry.name(), values);
    }
    return tensors;
  }
}
