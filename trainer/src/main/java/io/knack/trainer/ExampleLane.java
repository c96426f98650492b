package io.knack.trainer;

import io.knack.llm.train.TokenSequence;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;

/**
 * Batches over a fixed list of examples, epoch after epoch. The order of an epoch follows from seed
 * and epoch alone, so that any step's batch can be had without the ones before.
 */
final class ExampleLane implements Lane {
  private final String name;
  private final List<TokenSequence> examples;
  private final List<TokenSequence> validation;
  private final TrainPlan plan;
  private final long steps;
  private final long stepsPerEpoch;
  private long epoch = -1;
  private List<List<TokenSequence>> batches = List.of();

  ExampleLane(
      String name, List<TokenSequence> examples, List<TokenSequence> validation, TrainPlan plan) {
    this.name = name;
    this.examples = List.copyOf(examples);
    this.validation = List.copyOf(validation);
    this.plan = plan;
    this.stepsPerEpoch = epoch(0).size();
    Long wanted = plan.steps();
    this.steps = wanted != null ? wanted : Math.max(1, Math.round(plan.epochs() * stepsPerEpoch));
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public long steps() {
    return steps;
  }

  @Override
  public long stepsPerEpoch() {
    return stepsPerEpoch;
  }

  @Override
  public List<TokenSequence> validation() {
    return validation;
  }

  @Override
  public List<TokenSequence> batch(long step) {
    // Epochs differ in their number of batches only when batches are counted in tokens.
    long at = step;
    for (long e = plan.batchTokens() == 0 ? step / epoch(0).size() : 0; ; e++) {
      if (plan.batchTokens() == 0) {
        return epoch(e).get((int) (step % epoch(e).size()));
      }
      if (at < epoch(e).size()) {
        return epoch(e).get((int) at);
      }
      at -= epoch(e).size();
    }
  }

  private List<List<TokenSequence>> epoch(long wanted) {
    if (wanted != epoch) {
      List<TokenSequence> order = new ArrayList<>(examples);
      if (plan.shuffle()) {
        Collections.shuffle(order, new Random(plan.seed() * 7_919 + wanted));
      }
      batches = plan.batchTokens() > 0 ? byTokens(order) : bySize(order);
      epoch = wanted;
    }
    return batches;
  }

  private List<List<TokenSequence>> bySize(List<TokenSequence> order) {
    int size = plan.batchSize() * plan.gradientAccumulation();
    List<List<TokenSequence>> out = new ArrayList<>();
    for (int from = 0; from < order.size(); from += size) {
      out.add(order.subList(from, Math.min(order.size(), from + size)));
    }
    return out;
  }

  private List<List<TokenSequence>> byTokens(List<TokenSequence> order) {
    long budget = (long) plan.batchTokens() * plan.gradientAccumulation();
    List<List<TokenSequence>> out = new ArrayList<>();
    List<TokenSequence> batch = new ArrayList<>();
    long tokens = 0;
    for (TokenSequence sequence : order) {
      if (!batch.isEmpty() && tokens + sequence.length() > budget) {
        out.add(batch);
        batch = new ArrayList<>();
        tokens = 0;
      }
      batch.add(sequence);
      tokens += sequence.length();
    }
    out.add(batch);
    return out;
  }
}
