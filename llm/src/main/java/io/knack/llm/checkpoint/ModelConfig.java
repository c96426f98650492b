package io.knack.llm.checkpoint;

import io.knack.contracts.stage.ContractException;
import io.knack.llm.family.Families;
import java.nio.file.Path;
import java.util.List;

/**
 * What a decoder computes: pre-norm blocks of attention with rotary positions and a gated MLP. Read
 * from config.json by the checkpoint's family.
 *
 * @param architecture as config.json names it, such as {@code LlamaForCausalLM}
 * @param feedForward inner width of the MLP
 * @param windows per layer, how many positions back a token sees, itself included; 0 for all
 * @param qkvBias whether the q, k and v projections have a bias
 * @param qkNorm whether q and k are normalised per head before the rotary embedding
 * @param maxPositions the longest sequence the checkpoint was made for
 * @param stopIds from generation_config.json, else config.json
 */
public record ModelConfig(
    String architecture,
    int vocabulary,
    int hidden,
    int layers,
    int heads,
    int kvHeads,
    int headDim,
    int feedForward,
    double normEpsilon,
    double ropeTheta,
    RopeScaling rope,
    List<Integer> windows,
    Bias qkvBias,
    Bias outputBias,
    Bias mlpBias,
    QkNorm qkNorm,
    Embeddings embeddings,
    int maxPositions,
    List<Integer> stopIds) {

  private static final int MAX_LAYERS = 10_000;
  private static final int MAX_WIDTH = 1 << 24;

  /** Whether a projection adds a bias. */
  public enum Bias {
    NONE,
    ADDED
  }

  /** Whether q and k are normalised. */
  public enum QkNorm {
    NONE,
    PER_HEAD
  }

  /** Whether the output matrix is the embedding matrix. */
  public enum Embeddings {
    TIED,
    SEPARATE
  }

  public ModelConfig {
    windows = List.copyOf(windows);
    stopIds = List.copyOf(stopIds);
    if (heads % kvHeads != 0) {
      throw new IllegalArgumentException(
          "num_attention_heads " + heads + " is not a multiple of num_key_value_heads " + kvHeads);
    }
    if (layers > MAX_LAYERS || (long) heads * headDim > MAX_WIDTH) {
      throw new IllegalArgumentException(
          layers
              + " layers of "
              + heads
              + " heads, each "
              + headDim
              + " wide; expected at most "
              + MAX_LAYERS
              + " layers and a width of "
              + MAX_WIDTH);
    }
    if (headDim % 2 != 0) {
      throw new IllegalArgumentException(
          "head_dim " + headDim + " is odd; rotary embedding needs an even one");
    }
  }

  /**
   * Reads a checkpoint directory's config.json.
   *
   * @throws ContractException naming what is missing, wrong or not supported
   */
  public static ModelConfig of(Path directory) {
    return Families.read(directory);
  }

  /** Width of all query heads together. */
  public int queryWidth() {
    return heads * headDim;
  }

  /** Width of all key heads together. */
  public int keyWidth() {
    return kvHeads * headDim;
  }

  public float[] inverseFrequencies() {
    return rope.inverseFrequencies(ropeTheta, headDim);
  }

  /**
   * The name of a tensor of a block in the checkpoint.
   *
   * @param module such as {@code self_attn.q_proj}
   */
  public static String tensor(int layer, String module, String parameter) {
    return "model.layers." + layer + "." + module + "." + parameter;
  }
}
