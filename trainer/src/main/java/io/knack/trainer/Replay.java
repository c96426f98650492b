package io.knack.trainer;

import io.knack.llm.train.TokenSequence;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.function.Function;

/** Examples of the other adapters, mixed into each one's own against forgetting. */
final class Replay {
  private Replay() {}

  /**
   * @param ratio of replayed examples to own ones; as many as there are at most
   * @param owner whose examples a task holds; nothing is replayed from one owner to another
   */
  static List<AdapterTask> mix(
      List<AdapterTask> tasks, double ratio, long seed, Function<AdapterTask, String> owner) {
    if (ratio <= 0 || tasks.size() < 2) {
      return tasks;
    }
    List<AdapterTask> mixed = new ArrayList<>();
    for (AdapterTask task : tasks) {
      List<TokenSequence> others = new ArrayList<>();
      for (AdapterTask other : tasks) {
        if (!other.name().equals(task.name()) && owner.apply(other).equals(owner.apply(task))) {
          others.addAll(other.examples());
        }
      }
      Collections.shuffle(others, new Random(seed + task.name().hashCode()));
      List<TokenSequence> all = new ArrayList<>(task.examples());
      int count = (int) Math.round(ratio * all.size());
      all.addAll(others.subList(0, Math.min(others.size(), count)));
      mixed.add(new AdapterTask(task.name(), all, task.validation(), task.initAdapter()));
    }
    return mixed;
  }
}
