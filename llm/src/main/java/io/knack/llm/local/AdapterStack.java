package io.knack.llm.local;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.jni.IValue;
import io.knack.llm.checkpoint.ModelConfig;
import io.knack.llm.kernel.Kernels;
import io.knack.llm.lora.PeftAdapter;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The adapters of one batch, stacked: for every fused projection one down-matrix with the ranks of
 * all adapters behind one another and one up-matrix. A mask of a row's own ranks picks its adapter,
 * so that a batch of many adapters costs two products a projection.
 */
final class AdapterStack implements AutoCloseable {
  /** The modules of each fused projection, by their place in {@link PeftAdapter#MODULES}. */
  private static final int[][] SLOTS = {{0, 1, 2}, {3}, {4, 5}, {6}};

  /**
   * Each adapter's ranks are filled up to a multiple of this with zeros, so that its sums are cut
   * as if it were alone: the same numbers whatever adapters stand before and behind it.
   */
  private static final long ROOM = 16;

  private final NDManager owner;
  private final List<PeftAdapter> adapters;
  private final long[] ranks;
  private final List<NDArray> matrices;
  private final IValue tensors;

  private AdapterStack(
      NDManager owner, List<PeftAdapter> adapters, long[] ranks, List<NDArray> tensors) {
    this.owner = owner;
    this.adapters = adapters;
    this.ranks = ranks;
    this.matrices = tensors;
    this.tensors = Kernels.list(tensors);
  }

  /**
   * What the adapters add to one fused projection, in memory.
   *
   * @param down (modules x ranks, in), module by module
   * @param up (modules x ranks, outs of all modules), scaled
   */
  record LowRank(ByteBuffer down, ByteBuffer up) {}

  /** Layer by layer the four fused projections; null where no adapter touches one. */
  List<@Nullable LowRank> lowRanks(Kernels kernels) {
    List<@Nullable LowRank> result = new ArrayList<>();
    for (int i = 0; i < matrices.size(); i += 2) {
      result.add(
          matrices.get(i).size() == 0
              ? null
              : new LowRank(
                  Kernels.bytes(matrices.get(i)),
                  Kernels.bytes(kernels.tensor(owner, "turned", matrices.get(i + 1)))));
    }
    return result;
  }

  /** The first of an adapter's ranks among those of all. */
  int firstRank(PeftAdapter adapter) {
    int first = 0;
    for (int i = 0; !adapters.get(i).equals(adapter); i++) {
      first += (int) ranks[i];
    }
    return first;
  }

  /** An adapter's own ranks, without what fills them up. */
  int ranks(PeftAdapter adapter) {
    return (int) widest(adapter);
  }

  static AdapterStack of(Kernels kernels, ModelConfig model, List<PeftAdapter> adapters) {
    NDManager owner = kernels.manager().newSubManager();
    long[] ranks =
        adapters.stream()
            .mapToLong(AdapterStack::widest)
            .map(r -> (r + ROOM - 1) / ROOM * ROOM)
            .toArray();
    List<NDArray> tensors = new ArrayList<>();
    if (!adapters.isEmpty()) {
      NDArray like = adapters.get(0).pairs().values().iterator().next().a();
      NDArray none = owner.create(new float[0]);
      for (int layer = 0; layer < model.layers(); layer++) {
        for (int[] slot : SLOTS) {
          slot(kernels, model, owner, adapters, ranks, layer, slot, like, none, tensors);
        }
      }
    }
    return new AdapterStack(owner, List.copyOf(adapters), ranks, tensors);
  }

  private static long widest(PeftAdapter adapter) {
    return adapter.pairs().values().stream()
        .mapToLong(pair -> pair.a().getShape().get(0))
        .max()
        .orElseThrow();
  }

  private static void slot(
      Kernels kernels,
      ModelConfig model,
      NDManager owner,
      List<PeftAdapter> adapters,
      long[] ranks,
      int layer,
      int[] slot,
      NDArray like,
      NDArray none,
      List<NDArray> tensors) {
    List<NDArray> downs = new ArrayList<>();
    List<NDArray> ups = new ArrayList<>();
    double[] scales = new double[slot.length * ranks.length];
    long[] outs = new long[slot.length];
    long width = 0;
    boolean any = false;
    for (int m = 0; m < slot.length; m++) {
      String module = PeftAdapter.MODULES.get(slot[m]);
      String path = "model.layers." + layer + "." + module;
      long[] shape = PeftAdapter.shape(model, module);
      outs[m] = shape[0];
      width = shape[1];
      for (PeftAdapter adapter : adapters) {
        PeftAdapter.Pair pair = adapter.pairs().get(path);
        scales[downs.size()] = adapter.config().scale(path);
        downs.add(pair == null ? none : pair.a());
        ups.add(pair == null ? none : pair.b());
        any |= pair != null;
      }
    }
    if (any) {
      tensors.add(kernels.tensor(owner, "stack_down", downs, ranks, width, like));
      tensors.add(kernels.tensor(owner, "stack_up", ups, ranks, scales, outs, like));
    } else {
      tensors.addAll(Collections.nCopies(2, none));
    }
  }

  List<PeftAdapter> adapters() {
    return adapters;
  }

  IValue tensors() {
    return tensors;
  }

  /** Ranks of all adapters together. */
  int width() {
    int sum = 0;
    for (long rank : ranks) {
      sum += (int) rank;
    }
    return sum;
  }

  /** For each row 1 on the ranks of its adapter, 0 elsewhere: (rows, width). */
  NDArray mask(NDManager to, List<@Nullable PeftAdapter> ofRows) {
    float[] mask = new float[ofRows.size() * width()];
    int from = 0;
    for (PeftAdapter adapter : ofRows) {
      for (int i = 0; i < ranks.length; i++) {
        if (adapters.get(i).equals(adapter)) {
          Arrays.fill(mask, from, from + (int) ranks[i], 1);
        }
        from += (int) ranks[i];
      }
    }
    return to.create(mask, new Shape(ofRows.size(), width()));
  }

  @Override
  public void close() {
    tensors.close();
    owner.close();
  }
}
