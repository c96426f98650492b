package io.knack.llm.local;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import io.knack.llm.checkpoint.ModelConfig;
import io.knack.llm.kernel.Kernels;
import io.knack.llm.vector.VectorMath;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * The keys and values of a prompt that many samples began with, laid out as the weights of two
 * products: queries of all samples with the keys, and what the samples give each place with the
 * values. What each sample has of its own is looked at by itself: "cascade" or "hydragen" attention
 * (Juravsky et al., 2024).
 *
 * <p>Whether a sample's attention is computed so depends on its request alone, never on how many of
 * its companions still run.
 */
final class SharedPrompt implements AutoCloseable {
  /** What the copy may take. */
  private static final long MOST_BYTES = 256L << 20;

  /** Rows whose samples share a prompt. */
  record Group(SharedPrompt prompt, List<Integer> rows) {}

  private final NDManager owner;
  private final int places;
  private final ByteBuffer[] parts;
  private final int heads;

  private SharedPrompt(NDManager owner, int places, int heads, ByteBuffer[] parts) {
    this.owner = owner;
    this.places = places;
    this.heads = heads;
    this.parts = parts;
  }

  /** Whether the samples of a request share their prompt so. */
  static boolean suits(Task task, ModelConfig model) {
    int places = places(task);
    return task.sharesPrompt()
        && model.headDim() % VectorMath.BLOCK == 0
        && model.windows().stream().allMatch(window -> window == 0)
        && 8L * places * model.keyWidth() * model.layers() <= MOST_BYTES;
  }

  private static int places(Task task) {
    return task.prompt.size() / VectorMath.BLOCK * VectorMath.BLOCK;
  }

  /** Copies a task's prompt from a row that holds it. */
  static SharedPrompt of(Kernels kernels, ModelConfig model, KvCache cache, Task task, int row) {
    NDManager owner = kernels.manager().newSubManager();
    int places = places(task);
    NDArray[] layers =
        kernels.tensors(owner, "shared_prompt", cache.tensors(), (long) row, (long) places);
    int heads = model.kvHeads();
    int bytes = 4 * places * model.headDim();
    ByteBuffer[] parts = new ByteBuffer[layers.length * heads];
    for (int i = 0; i < layers.length; i++) {
      ByteBuffer layer = Kernels.bytes(layers[i]);
      for (int head = 0; head < heads; head++) {
        parts[i * heads + head] = layer.slice(head * bytes, bytes).order(layer.order());
      }
    }
    return new SharedPrompt(owner, places, heads, parts);
  }

  /** Places of the cache that it covers. */
  int places() {
    return places;
  }

  /** (places / 32, D, 32) float32. */
  ByteBuffer keys(int layer, int head) {
    return parts[2 * layer * heads + head];
  }

  /** (D / 32, places, 32) float32. */
  ByteBuffer values(int layer, int head) {
    return parts[(2 * layer + 1) * heads + head];
  }

  @Override
  public void close() {
    owner.close();
  }
}
