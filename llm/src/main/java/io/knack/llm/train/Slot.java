package io.knack.llm.train;

import io.knack.contracts.stage.ContractException;
import io.knack.llm.checkpoint.DecoderTensors;
import io.knack.llm.checkpoint.ModelConfig;
import io.knack.llm.checkpoint.ModelConfig.Bias;
import io.knack.llm.checkpoint.ModelConfig.Embeddings;
import io.knack.llm.checkpoint.ModelConfig.QkNorm;
import java.util.ArrayList;
import java.util.List;

/**
 * One weight as the kernels hold it: projections with the same input are joined by rows.
 *
 * @param parts checkpoint tensors, joined in this order; empty when the shape has no such weight
 * @param rows 0 when absent
 * @param columns 0 for a vector
 */
public record Slot(List<Part> parts, int rows, int columns) {

  /** A checkpoint tensor and how many rows of the slot it fills. */
  public record Part(String name, int rows) {}

  private static final Slot ABSENT = new Slot(List.of(), 0, 0);

  public int size() {
    return rows * Math.max(1, columns);
  }

  public boolean vector() {
    return columns == 0;
  }

  /**
   * The kernels' weight list: embedding, last norm, head (absent when tied), nine of each layer.
   */
  public static List<Slot> of(ModelConfig shape) {
    if (shape.outputBias() == Bias.ADDED || shape.mlpBias() == Bias.ADDED) {
      throw new ContractException(
          shape.architecture()
              + " with a bias in o_proj or the MLP cannot be trained; supported: no bias, or one in"
              + " q, k and v");
    }
    int d = shape.hidden();
    int q = shape.heads() * shape.headDim();
    int kv = shape.kvHeads() * shape.headDim();
    int f = shape.feedForward();
    List<Slot> slots = new ArrayList<>();
    slots.add(matrix(d, new Part(DecoderTensors.EMBEDDING, shape.vocabulary())));
    slots.add(vector(new Part(DecoderTensors.NORM, d)));
    slots.add(
        (shape.embeddings() == Embeddings.TIED)
            ? ABSENT
            : matrix(d, new Part(DecoderTensors.HEAD, shape.vocabulary())));
    for (int i = 0; i < shape.layers(); i++) {
      String p = "model.layers." + i + ".";
      String a = p + "self_attn.";
      slots.add(vector(new Part(p + "input_layernorm.weight", d)));
      slots.add(
          matrix(
              d,
              new Part(a + "q_proj.weight", q),
              new Part(a + "k_proj.weight", kv),
              new Part(a + "v_proj.weight", kv)));
      slots.add(
          shape.qkvBias() == Bias.ADDED
              ? vector(
                  new Part(a + "q_proj.bias", q),
                  new Part(a + "k_proj.bias", kv),
                  new Part(a + "v_proj.bias", kv))
              : ABSENT);
      slots.add(
          shape.qkNorm() == QkNorm.PER_HEAD
              ? vector(new Part(a + "q_norm.weight", shape.headDim()))
              : ABSENT);
      slots.add(
          shape.qkNorm() == QkNorm.PER_HEAD
              ? vector(new Part(a + "k_norm.weight", shape.headDim()))
              : ABSENT);
      slots.add(matrix(q, new Part(a + "o_proj.weight", d)));
      slots.add(vector(new Part(p + "post_attention_layernorm.weight", d)));
      slots.add(
          matrix(
              d, new Part(p + "mlp.gate_proj.weight", f), new Part(p + "mlp.up_proj.weight", f)));
      slots.add(matrix(f, new Part(p + "mlp.down_proj.weight", d)));
    }
    return slots;
  }

  private static Slot matrix(int columns, Part... parts) {
    return new Slot(List.of(parts), rows(parts), columns);
  }

  private static Slot vector(Part... parts) {
    return new Slot(List.of(parts), rows(parts), 0);
  }

  private static int rows(Part... parts) {
    int rows = 0;
    for (Part part : parts) {
      rows += part.rows();
    }
    return rows;
  }
}
