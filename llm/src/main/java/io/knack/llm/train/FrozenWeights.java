package io.knack.llm.train;

import ai.djl.Device;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.knack.llm.checkpoint.Checkpoint;
import io.knack.llm.checkpoint.ModelConfig;
import io.knack.llm.kernel.Kernels;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A base model's weights as {@link Slot#of} lists them, for any number of trainings. */
public final class FrozenWeights implements AutoCloseable {
  private final Kernels kernels;
  private final List<NDArray> tensors;

  private FrozenWeights(Kernels kernels, List<NDArray> tensors) {
    this.kernels = kernels;
    this.tensors = List.copyOf(tensors);
  }

  /** Loads a Hugging Face checkpoint directory to the device, as {@code compute} wants it. */
  public static FrozenWeights load(Path directory, ModelConfig model, Compute compute) {
    Device device = Kernels.device(compute.device());
    Checkpoint checkpoint = Checkpoint.open(directory);
    Kernels loading = Kernels.load(compute.device());
    try (Kernels joining =
        TrainingKernels.load(device, model, null, TrainingKernels.Attention.on(device))) {
      loading.gradients(Kernels.Gradients.OFF);
      NDManager owner = loading.manager();
      List<NDArray> tensors = new ArrayList<>();
      for (Slot slot : Slot.of(model)) {
        List<NDArray> parts = new ArrayList<>();
        for (Slot.Part part : slot.parts()) {
          long[] shape =
              slot.vector() ? new long[] {part.rows()} : new long[] {part.rows(), slot.columns()};
          NDArray read = checkpoint.load(loading, owner, part.name(), compute.dtype(), shape);
          if (compute.arithmetic() == compute.dtype()) {
            parts.add(read);
          } else {
            parts.add(loading.cast(owner, read, compute.arithmetic()));
            read.close(); // Only now: a cast to the same type shares the mapped file.
          }
        }
        if (parts.size() == 1) {
          tensors.add(parts.get(0));
        } else if (parts.size() > 1) {
          tensors.add(joining.tensor(owner, "join", parts));
          parts.forEach(NDArray::close);
        } else {
          tensors.add(owner.zeros(new Shape(0)));
        }
      }
      if (model.embeddings() == ModelConfig.Embeddings.TIED) {
        tensors.set(2, tensors.get(0));
      }
      return new FrozenWeights(loading, tensors);
    } catch (RuntimeException e) {
      loading.close();
      throw e;
    }
  }

  List<NDArray> tensors() {
    return tensors;
  }

  @Override
  public void close() {
    kernels.close();
  }
}
