package io.knack.llm.local;

import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import io.knack.llm.lora.PeftAdapter;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** Short prompts through {@link VectorDecoder}, as {@link PromptPass} takes the others. */
final class VectorPrompts {
  private final LocalModel model;
  private final VectorDecoder decoder;

  VectorPrompts(LocalModel model, VectorDecoder decoder) {
    this.model = model;
    this.decoder = decoder;
  }

  /** Whether a task's prompt is read here: its own length decides, so that companions do not. */
  static boolean suits(Task task) {
    return !task.scoresPrompt() && task.prompt.size() <= VectorDecoder.LONGEST_PROMPT;
  }

  /** A token of a prompt. */
  private record Place(Task task, int index, int row) {
    boolean isLast() {
      return index == task.prompt.size() - 1;
    }
  }

  /**
   * Computes prompts into their rows and keeps each one's last logits.
   *
   * @param owner of the logits
   */
  void run(List<Task> tasks, List<Integer> rows, KvCache cache, NDManager owner) {
    List<Place> places = new ArrayList<>();
    for (int i = 0; i < tasks.size(); i++) {
      for (int j = 0; j < tasks.get(i).prompt.size(); j++) {
        places.add(new Place(tasks.get(i), j, rows.get(i)));
      }
    }
    for (int from = 0; from < places.size(); from += VectorDecoder.CHUNK) {
      int to = Math.min(places.size(), from + VectorDecoder.CHUNK);
      pass(places.subList(from, to), cache, owner);
    }
  }

  private void pass(List<Place> places, KvCache cache, NDManager owner) {
    int n = places.size();
    decoder.begin(n, cache);
    List<@Nullable PeftAdapter> adapters = new ArrayList<>();
    for (int i = 0; i < n; i++) {
      Place place = places.get(i);
      decoder.token(i, place.task().prompt.get(place.index()), place.index(), place.row());
      adapters.add(place.task().adapter);
    }
    decoder.adapters(adapters);
    decoder.prompts = true;
    decoder.wanted = IntStream.range(0, n).filter(i -> places.get(i).isLast()).toArray();
    decoder.groups = List.of();
    decoder.singles = IntStream.range(0, n).toArray();
    decoder.choices = new float[0];
    decoder.run();
    int vocabulary = model.config().vocabulary();
    for (int i = 0; i < decoder.wanted.length; i++) {
      Task task = places.get(decoder.wanted[i]).task();
      float[] own = new float[vocabulary];
      System.arraycopy(decoder.logits, i * decoder.weights.head.padded, own, 0, vocabulary);
      if (task.logits != null) {
        task.logits.close();
      }
      task.logits = owner.create(own, new Shape(1, vocabulary));
    }
  }
}
