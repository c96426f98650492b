package io.knack.llm.train;

import io.knack.contracts.stage.PlanException;
import io.knack.llm.checkpoint.ModelConfig;
import io.knack.llm.lora.AdapterConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/**
 * Where an adapter's matrices lie in its flat row: layer by layer, in each layer by groups of
 * projections that read the same input, in each group all A, then all B.
 *
 * @param matrices in that order
 * @param specs of each layer and group, see {@code lora} in {@code train.py}
 * @param factors of each layer, group and module: what multiplies B A
 * @param size numbers of one adapter
 */
public record LoraLayout(
    List<Matrix> matrices, List<List<long[]>> specs, List<List<List<Double>>> factors, int size) {

  /** How A starts; B starts at zero, so that the adapter changes nothing at first. */
  public enum Init {
    /** PEFT's default: uniform within one over the root of the inputs. */
    KAIMING,
    /** Normal, deviation one over the rank. */
    GAUSSIAN
  }

  /**
   * A or B of one module.
   *
   * @param module such as {@code model.layers.0.self_attn.q_proj}
   * @param lora {@code lora_A} (rank, in) or {@code lora_B} (out, rank)
   */
  public record Matrix(String module, String lora, int offset, int rows, int columns) {
    /** The tensor's name in a PEFT file. */
    public String tensor() {
      return "base_model.model." + module + "." + lora + ".weight";
    }

    public int size() {
      return rows * columns;
    }
  }

  private record Projection(String module, int out) {}

  /** Lays out the modules of a model that the configuration targets. */
  public static LoraLayout of(ModelConfig model, AdapterConfig config) {
    List<Matrix> matrices = new ArrayList<>();
    List<List<long[]>> specs = new ArrayList<>();
    List<List<List<Double>>> factors = new ArrayList<>();
    int at = 0;
    for (int layer = 0; layer < model.layers(); layer++) {
      List<long[]> groups = new ArrayList<>();
      List<List<Double>> scales = new ArrayList<>();
      for (List<Projection> group : groups(model, layer)) {
        int in = inputs(model, groups.size());
        List<Projection> targeted = group.stream().filter(p -> config.targets(p.module())).toList();
        if (targeted.isEmpty()) {
          groups.add(new long[] {0});
          scales.add(List.of(1.0));
          continue;
        }
        int first = at;
        long ranks = 0;
        for (Projection p : targeted) {
          int rank = config.rank(p.module());
          matrices.add(new Matrix(p.module(), "lora_A", at, rank, in));
          at += rank * in;
          ranks += rank;
        }
        List<Long> spec = new ArrayList<>(List.of(ranks, (long) first, (long) targeted.size()));
        for (Projection p : targeted) {
          int rank = config.rank(p.module());
          int out =
              group.stream()
                  .takeWhile(o -> !o.module().equals(p.module()))
                  .mapToInt(Projection::out)
                  .sum();
          spec.addAll(List.of((long) rank, (long) at, (long) out, (long) out + p.out()));
          matrices.add(new Matrix(p.module(), "lora_B", at, p.out(), rank));
          at += p.out() * rank;
        }
        groups.add(spec.stream().mapToLong(Long::longValue).toArray());
        scales.add(targeted.stream().map(p -> config.scale(p.module())).toList());
      }
      specs.add(groups);
      factors.add(scales);
    }
    if (matrices.isEmpty()) {
      throw new PlanException(
          "targets: none of the model's linear layers matches; expected names such as q_proj,"
              + " a regular expression for paths such as model.layers.0.self_attn.q_proj, or"
              + " all-linear");
    }
    return new LoraLayout(List.copyOf(matrices), List.copyOf(specs), List.copyOf(factors), at);
  }

  private static int inputs(ModelConfig model, int group) {
    return switch (group) {
      case 1 -> model.queryWidth();
      case 3 -> model.feedForward();
      default -> model.hidden();
    };
  }

  private static List<List<Projection>> groups(ModelConfig model, int layer) {
    String p = "model.layers." + layer + ".";
    String a = p + "self_attn.";
    return List.of(
        List.of(
            new Projection(a + "q_proj", model.queryWidth()),
            new Projection(a + "k_proj", model.keyWidth()),
            new Projection(a + "v_proj", model.keyWidth())),
        List.of(new Projection(a + "o_proj", model.hidden())),
        List.of(
            new Projection(p + "mlp.gate_proj", model.feedForward()),
            new Projection(p + "mlp.up_proj", model.feedForward())),
        List.of(new Projection(p + "mlp.down_proj", model.hidden())));
  }

  /** A new adapter's row. */
  public float[] initial(Init init, long seed) {
    float[] row = new float[size];
    Random random = new Random(seed);
    for (Matrix matrix : matrices) {
      if (matrix.lora().equals("lora_A")) {
        double bound = 1 / Math.sqrt(matrix.columns());
        for (int i = matrix.offset(); i < matrix.offset() + matrix.size(); i++) {
          row[i] =
              (float)
                  (init == Init.KAIMING
                      ? (2 * random.nextDouble() - 1) * bound
                      : random.nextGaussian() / matrix.rows());
        }
      }
    }
    return row;
  }
}
