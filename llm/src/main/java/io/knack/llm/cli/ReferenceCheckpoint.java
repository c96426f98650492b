package io.knack.llm.cli;

import io.knack.llm.checkpoint.SafetensorsWriter;
import io.knack.llm.checkpoint.SafetensorsWriter.Declaration;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;

/** A random checkpoint of the Llama shape to measure with: 27.8 million parameters, float32. */
final class ReferenceCheckpoint {
  private static final int D = 512;
  private static final int LAYERS = 8;
  private static final int HEADS = 8;
  private static final int KEY_HEADS = 4;
  private static final int FEED_FORWARD = 1408;
  private static final int VOCABULARY = 8192;

  private ReferenceCheckpoint() {}

  static void write(Path directory) throws IOException {
    Files.writeString(
        directory.resolve("config.json"),
        """
        {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": %d,
         "num_hidden_layers": %d, "num_attention_heads": %d, "num_key_value_heads": %d,
         "intermediate_size": %d, "vocab_size": %d, "max_position_embeddings": 2048,
         "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "hidden_act": "silu",
         "tie_word_embeddings": true, "torch_dtype": "float32",
         "bos_token_id": null, "eos_token_id": null}
        """
            .formatted(D, LAYERS, HEADS, KEY_HEADS, FEED_FORWARD, VOCABULARY));
    Map<String, Declaration> tensors = new TreeMap<>();
    declare(tensors, "model.embed_tokens.weight", VOCABULARY, D);
    declare(tensors, "model.norm.weight", D);
    int keys = D / HEADS * KEY_HEADS;
    for (int i = 0; i < LAYERS; i++) {
      String block = "model.layers." + i + ".";
      declare(tensors, block + "input_layernorm.weight", D);
      declare(tensors, block + "self_attn.q_proj.weight", D, D);
      declare(tensors, block + "self_attn.k_proj.weight", keys, D);
      declare(tensors, block + "self_attn.v_proj.weight", keys, D);
      declare(tensors, block + "self_attn.o_proj.weight", D, D);
      declare(tensors, block + "post_attention_layernorm.weight", D);
      declare(tensors, block + "mlp.gate_proj.weight", FEED_FORWARD, D);
      declare(tensors, block + "mlp.up_proj.weight", FEED_FORWARD, D);
      declare(tensors, block + "mlp.down_proj.weight", D, FEED_FORWARD);
    }
    Random random = new Random(1);
    try (SafetensorsWriter writer =
        SafetensorsWriter.create(directory.resolve("model.safetensors"), tensors)) {
      for (Map.Entry<String, Declaration> tensor : tensors.entrySet()) {
        writer.write(tensor.getKey(), values(tensor.getValue().shape(), random));
      }
    }
  }

  private static void declare(Map<String, Declaration> tensors, String name, long... shape) {
    List<Long> dimensions = java.util.Arrays.stream(shape).boxed().toList();
    tensors.put(name, new Declaration("F32", dimensions));
  }

  private static ByteBuffer values(List<Long> shape, Random random) {
    int count = Math.toIntExact(shape.stream().reduce(1L, Math::multiplyExact));
    ByteBuffer bytes = ByteBuffer.allocate(4 * count).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < count; i++) {
      bytes.putFloat(shape.size() == 1 ? 1 : (float) (0.02 * random.nextGaussian()));
    }
    return bytes.flip();
  }
}
