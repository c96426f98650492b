package io.knack.llm.cli;

import io.knack.llm.checkpoint.DecoderTensors;
import io.knack.llm.checkpoint.ModelConfig;
import io.knack.llm.checkpoint.SafetensorsWriter;
import io.knack.llm.checkpoint.SafetensorsWriter.Declaration;
import io.knack.llm.kernel.DType;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;

/**
 * A random checkpoint of the Llama shape to measure with.
 *
 * @param d model width
 * @param heads query heads; the key heads are {@code keyHeads}
 */
record ReferenceCheckpoint(
    int d, int layers, int heads, int keyHeads, int feedForward, int vocabulary, DType stored) {
  /** 27.8 million parameters, stored in bfloat16 as published checkpoints are. */
  static final ReferenceCheckpoint SMALL =
      new ReferenceCheckpoint(512, 8, 8, 4, 1408, 8192, DType.BF16);

  /** 1.04 billion parameters, 2.1 GB in bfloat16. */
  static final ReferenceCheckpoint LARGE =
      new ReferenceCheckpoint(2048, 16, 16, 4, 8192, 32768, DType.BF16);

  /** Random values that are written again and again. */
  private static final int BLOCK = 1 << 20;

  /** Writes config.json and model.safetensors; returns the bytes of the latter. */
  long write(Path directory) throws IOException {
    Files.writeString(
        directory.resolve("config.json"),
        """
        {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": %d,
         "num_hidden_layers": %d, "num_attention_heads": %d, "num_key_value_heads": %d,
         "intermediate_size": %d, "vocab_size": %d, "max_position_embeddings": 2048,
         "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "hidden_act": "silu",
         "tie_word_embeddings": true, "torch_dtype": "%s",
         "bos_token_id": null, "eos_token_id": null}
        """
            .formatted(d, layers, heads, keyHeads, feedForward, vocabulary, stored.torchName()));
    Map<String, Declaration> tensors = new TreeMap<>();
    DecoderTensors.of(ModelConfig.of(directory))
        .forEach((name, shape) -> tensors.put(name, new Declaration(stored.name(), shape)));
    ByteBuffer noise = values(BLOCK, false);
    Path file = directory.resolve("model.safetensors");
    try (SafetensorsWriter writer = SafetensorsWriter.create(file, tensors)) {
      for (Map.Entry<String, Declaration> tensor : tensors.entrySet()) {
        List<Long> shape = tensor.getValue().shape();
        long due = shape.stream().reduce((long) stored.bytes(), Math::multiplyExact);
        if (shape.size() == 1) {
          writer.write(tensor.getKey(), values((int) due / stored.bytes(), true));
        } else {
          for (; due > 0; due -= noise.capacity()) {
            writer.write(
                tensor.getKey(), noise.duplicate().limit((int) Math.min(due, noise.capacity())));
          }
        }
      }
    }
    return Files.size(file);
  }

  /** Ones for a norm, else small normal numbers. */
  private ByteBuffer values(int count, boolean ones) {
    Random random = new Random(1);
    ByteBuffer bytes = ByteBuffer.allocate(stored.bytes() * count).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < count; i++) {
      float value = ones ? 1 : (float) (0.02 * random.nextGaussian());
      if (stored == DType.F32) {
        bytes.putFloat(value);
      } else {
        bytes.putShort((short) (Float.floatToRawIntBits(value) >>> 16));
      }
    }
    return bytes.flip();
  }
}
