package io.knack.llm.local;

import io.knack.llm.FinishReason;
import io.knack.llm.Sample;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A running sample: one row of the batch. */
final class Row {
  /** Tokens decoded beyond the longest stop string when looking for it. */
  private static final int STOP_SLACK = 8;

  final Task task;
  final int index;
  private final List<Integer> ids = new ArrayList<>();
  private final List<Float> logprobs = new ArrayList<>();
  private int paid;
  private @Nullable BitSet seen;

  Row(Task task, int index) {
    this.task = task;
    this.index = index;
  }

  /** The token the next step starts from. */
  int last() {
    return ids.get(ids.size() - 1);
  }

  /** Its position. */
  int position() {
    return task.prompt.size() + ids.size() - 1;
  }

  /** Places of the cache that hold this sequence. */
  int held() {
    return task.prompt.size() + Math.max(0, ids.size() - 1);
  }

  /** How many tokens came before the one to be drawn. */
  int place() {
    return ids.size();
  }

  /** How its next token is drawn: temperature, top p, top k, a uniform. */
  void choose(float[] choices, int at) {
    choices[at] = (float) task.sampling().temperature();
    choices[at + 1] = (float) task.sampling().topP();
    choices[at + 2] = task.sampling().topK();
    choices[at + 3] = task.uniform(index, place());
  }

  /** The tokens of its prompt and those drawn since. */
  BitSet seen() {
    if (seen == null) {
      seen = new BitSet();
      task.prompt.forEach(seen::set);
      ids.forEach(seen::set);
    }
    return seen;
  }

  /** Whether its distribution is cut before a token is drawn. */
  boolean narrowed() {
    return task.sampling().temperature() > 0
        && (task.sampling().topP() < 1 || task.sampling().topK() > 0);
  }

  /** Takes a drawn token; the finished sample, or null to go on. */
  @Nullable Sample take(int token, float logprob, LocalModel model) {
    paid++;
    if (model.config().stopIds().contains(token) || task.stopIds.contains(token)) {
      return finish(FinishReason.STOP, model);
    }
    ids.add(token);
    if (seen != null) {
      seen.set(token);
    }
    if (task.scores()) {
      logprobs.add(logprob);
    }
    Sample stopped = task.sampling().stop().isEmpty() ? null : stopped(model);
    if (stopped != null) {
      return stopped;
    }
    return ids.size() >= task.limit ? finish(FinishReason.LENGTH, model) : null;
  }

  Sample finish(FinishReason reason, LocalModel model) {
    return sample(reason, model.text(ids));
  }

  private Sample sample(FinishReason reason, String text) {
    return new Sample(
        index, List.copyOf(ids), text, task.scores() ? List.copyOf(logprobs) : null, reason, paid);
  }

  private @Nullable Sample stopped(LocalModel model) {
    List<String> stops = task.sampling().stop();
    int longest = stops.stream().mapToInt(String::length).max().orElse(0);
    // A token may hold a part of a character, so a string takes at most 4 tokens a character.
    String tail =
        model.text(ids.subList(Math.max(0, ids.size() - 4 * longest - STOP_SLACK), ids.size()));
    if (stops.stream().noneMatch(tail::contains)) {
      return null;
    }
    String text = model.text(ids);
    int cut = stops.stream().mapToInt(text::indexOf).filter(at -> at >= 0).min().orElse(-1);
    return cut < 0 ? null : sample(FinishReason.STOP, text.substring(0, cut));
  }
}
