package io.knack.llm.checkpoint;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.knack.contracts.stage.ContractException;
import io.knack.llm.checkpoint.ModelConfig.Bias;
import io.knack.llm.checkpoint.ModelConfig.Embeddings;
import io.knack.llm.checkpoint.ModelConfig.QkNorm;
import io.knack.llm.kernel.DType;
import io.knack.llm.kernel.Kernels;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** The tensors that a decoder has, by the names that transformers saves, with their shapes. */
public final class DecoderTensors {
  public static final String EMBEDDING = "model.embed_tokens.weight";
  public static final String NORM = "model.norm.weight";
  public static final String HEAD = "lm_head.weight";

  /** Tables that old checkpoints hold; computed from config.json here. */
  private static final String FREQUENCIES = "rotary_emb.inv_freq";

  private DecoderTensors() {}

  /**
   * Holds what the files' headers say against config.json, before anything large is read.
   *
   * @throws ContractException naming the file and the tensor that is missing, of another shape or
   *     type, or has no place in the model
   */
  public static void check(Checkpoint checkpoint, ModelConfig model) {
    Map<String, List<Long>> expected = of(model);
    Set<String> unknown = new TreeSet<>(checkpoint.names());
    unknown.removeIf(name -> name.endsWith(FREQUENCIES));
    expected.forEach(
        (name, shape) -> {
          checkpoint.requireShape(name, shape);
          var unused = checkpoint.type(name);
          unknown.remove(name);
        });
    if (model.embeddings() == Embeddings.TIED && unknown.remove(HEAD)) {
      checkpoint.requireShape(HEAD, List.of((long) model.vocabulary(), (long) model.hidden()));
    }
    if (!unknown.isEmpty()) {
      String first = unknown.iterator().next();
      throw new ContractException(
          checkpoint.fileOf(first)
              + ": tensor '"
              + first
              + "' has no place in a "
              + model.architecture()
              + " with this config.json"
              + (unknown.size() > 1 ? " (and " + (unknown.size() - 1) + " more)" : ""));
    }
  }

  /**
   * A head of its own beside tied embeddings must be the same, or which of the two is meant?
   *
   * @throws ContractException when they differ
   */
  public static void checkTied(
      Kernels kernels, NDManager owner, Checkpoint checkpoint, ModelConfig model) {
    if (model.embeddings() != Embeddings.TIED || !checkpoint.has(HEAD)) {
      return;
    }
    try (NDManager scope = owner.newSubManager()) {
      DType type = checkpoint.type(EMBEDDING);
      long[] shape = {model.vocabulary(), model.hidden()};
      NDArray head = checkpoint.load(kernels, scope, HEAD, type, shape);
      NDArray embedding = checkpoint.load(kernels, scope, EMBEDDING, type, shape);
      if (kernels.number("same", head, embedding) == 0) {
        throw new ContractException(
            checkpoint.fileOf(HEAD)
                + ": config.json ties the embeddings, but lm_head.weight differs from "
                + EMBEDDING
                + "; set tie_word_embeddings to false if lm_head.weight is meant, else remove it");
      }
    }
  }

  /** Names and shapes, layer by layer, then what stands before and behind the layers. */
  public static Map<String, List<Long>> of(ModelConfig model) {
    Map<String, List<Long>> tensors = new LinkedHashMap<>();
    long d = model.hidden();
    long f = model.feedForward();
    for (int layer = 0; layer < model.layers(); layer++) {
      vector(tensors, layer, "input_layernorm", d);
      linear(tensors, layer, "self_attn.q_proj", model.queryWidth(), d, model.qkvBias());
      linear(tensors, layer, "self_attn.k_proj", model.keyWidth(), d, model.qkvBias());
      linear(tensors, layer, "self_attn.v_proj", model.keyWidth(), d, model.qkvBias());
      if (model.qkNorm() == QkNorm.PER_HEAD) {
        vector(tensors, layer, "self_attn.q_norm", model.headDim());
        vector(tensors, layer, "self_attn.k_norm", model.headDim());
      }
      linear(tensors, layer, "self_attn.o_proj", d, model.queryWidth(), model.outputBias());
      vector(tensors, layer, "post_attention_layernorm", d);
      linear(tensors, layer, "mlp.gate_proj", f, d, model.mlpBias());
      linear(tensors, layer, "mlp.up_proj", f, d, model.mlpBias());
      linear(tensors, layer, "mlp.down_proj", d, f, model.mlpBias());
    }
    tensors.put(EMBEDDING, List.of((long) model.vocabulary(), d));
    tensors.put(NORM, List.of(d));
    if (model.embeddings() != Embeddings.TIED) {
      tensors.put(HEAD, List.of((long) model.vocabulary(), d));
    }
    return tensors;
  }

  private static void linear(
      Map<String, List<Long>> tensors, int layer, String module, long out, long in, Bias bias) {
    tensors.put(ModelConfig.tensor(layer, module, "weight"), List.of(out, in));
    if (bias == Bias.ADDED) {
      tensors.put(ModelConfig.tensor(layer, module, "bias"), List.of(out));
    }
  }

  private static void vector(
      Map<String, List<Long>> tensors, int layer, String module, long width) {
    tensors.put(ModelConfig.tensor(layer, module, "weight"), List.of(width));
  }
}
