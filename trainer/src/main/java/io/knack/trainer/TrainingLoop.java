package io.knack.trainer;

import io.knack.contracts.stage.ContractException;
import io.knack.contracts.stage.TemporaryException;
import io.knack.llm.train.MicroBatch;
import io.knack.llm.train.TokenSequence;
import io.knack.llm.train.TrainableDecoder;
import io.knack.llm.train.TrainableDecoder.Pass;
import io.knack.llm.train.TrainableDecoder.Update;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Training, whole: of one adapter, of many at once, or of all weights of a small model.
 *
 * <p>Each step takes the next batch of every lane that still runs, packs all their sequences into
 * micro-batches by tokens, adds up gradients, and then takes one optimizer step per lane with that
 * lane's own norm, clipping, schedule and state. A row of the batch touches its own lane's gradient
 * only, so lanes do not influence each other; they share the base model's work.
 */
final class TrainingLoop {
  private final TrainableDecoder decoder;
  private final LoopPlan plan;
  private final List<? extends Lane> lanes;
  private final List<LaneState> states = new ArrayList<>();
  private final TrainingCheckpoints checkpoints;
  private final TrainingListener listener;
  private long reported;

  /**
   * @param lanes in the order of the decoder's rows
   */
  TrainingLoop(
      TrainableDecoder decoder,
      LoopPlan plan,
      List<? extends Lane> lanes,
      TrainingCheckpoints checkpoints,
      TrainingListener listener) {
    this.decoder = decoder;
    this.plan = plan;
    this.lanes = lanes;
    this.checkpoints = checkpoints;
    this.listener = listener;
    lanes.forEach(lane -> states.add(new LaneState()));
  }

  /** Trains from the newest checkpoint, or from the start, to the end. */
  List<LaneState> run() throws IOException, InterruptedException {
    long step = checkpoints.restore(decoder, states);
    reported = System.nanoTime();
    while (states.stream().anyMatch(this::runs)) {
      step(step++);
      boolean stop = listener.stopRequested();
      if (stop || (plan.checkpointEvery() > 0 && step % plan.checkpointEvery() == 0)) {
        checkpoints.save(step, decoder.state(), states);
        listener.checkpointed(step);
      }
      if (stop && states.stream().anyMatch(this::runs)) {
        throw new TemporaryException(
            "stopped as asked after step "
                + step
                + "; a checkpoint is saved, the same command goes on from there");
      }
    }
    for (int i = 0; i < lanes.size(); i++) {
      float[] best = states.get(i).best;
      if (best != null) {
        decoder.parameters(i, best);
      }
    }
    return states;
  }

  private boolean runs(LaneState state) {
    return !state.stopped && state.step < lanes.get(states.indexOf(state)).steps();
  }

  private void step(long step) throws IOException, InterruptedException {
    List<TokenSequence> sequences = new ArrayList<>();
    double[] weight = new double[lanes.size()];
    long[] tokens = new long[lanes.size()];
    for (int i = 0; i < lanes.size(); i++) {
      if (runs(states.get(i))) {
        for (TokenSequence sequence : lanes.get(i).batch(states.get(i).step)) {
          sequences.add(sequence);
          weight[i] += sequence.weight();
          tokens[i] += sequence.length();
        }
      }
    }

    List<MicroBatch> batches = pack(sequences, weight);
    Pass pass = plan.recompute() ? Pass.BACKWARD_RECOMPUTED : Pass.BACKWARD;
    List<float[]> perRow =
        decoder.run(batches, pass, plan.dropout(), plan.seed() * 1_000_003 + step);
    double[] loss = losses(batches, perRow);
    float[] norms = decoder.gatherGradients();

    // From report to report, so that optimizer, validation and checkpoints are in the rate.
    long now = System.nanoTime();
    double rate = java.util.Arrays.stream(tokens).sum() / ((now - reported) / 1e9);
    reported = now;
    List<Update> updates = new ArrayList<>();
    for (int i = 0; i < lanes.size(); i++) {
      if (runs(states.get(i))) {
        advance(i, loss[i], norms[i], tokens[i], rate).ifPresent(updates::add);
      }
    }
    decoder.update(updates, plan.optimizer());
    decoder.endStep();
    validate();
  }

  /** One step of one lane; empty when its gradient cannot be used. */
  private Optional<Update> advance(int i, double loss, double norm, long tokens, double rate) {
    LaneState state = states.get(i);
    Lane lane = lanes.get(i);
    double learningRate =
        plan.learningRate() * plan.schedule().factor(state.step, plan.warmupSteps(), lane.steps());
    boolean finite = Double.isFinite(loss) && Double.isFinite(norm);
    if (!finite && ++state.skipped > plan.maxSkipped()) {
      throw new ContractException(
          lane.name()
              + ": loss or gradient was not finite in "
              + state.skipped
              + " steps, the last at step "
              + (state.step + 1)
              + " (loss "
              + loss
              + ", gradient norm "
              + norm
              + "); try a lower learning_rate or float32, and look at the data");
    }
    state.step++;
    state.lastLoss = loss;
    listener.step(
        new StepReport(
            lane.name(),
            state.step,
            lane.steps(),
            loss,
            learningRate,
            norm,
            tokens,
            rate,
            !finite));
    return finite
        ? Optional.of(new Update(i, state.updates++, learningRate, norm))
        : Optional.empty();
  }

  /** Early stopping: keeps each lane's best weights. */
  private void validate() throws InterruptedException {
    if (plan.validateEvery() == LoopPlan.NEVER) {
      return;
    }
    List<Integer> due = new ArrayList<>();
    List<TokenSequence> sequences = new ArrayList<>();
    double[] weight = new double[lanes.size()];
    for (int i = 0; i < lanes.size(); i++) {
      LaneState state = states.get(i);
      boolean last = state.step == lanes.get(i).steps();
      long every =
          plan.validateEvery() == LoopPlan.EACH_EPOCH
              ? Math.max(1, lanes.get(i).stepsPerEpoch())
              : plan.validateEvery();
      List<TokenSequence> held = lanes.get(i).validation();
      if (!state.stopped
          && !held.isEmpty()
          && (state.step % every == 0 || last)
          && state.step > 0) {
        due.add(i);
        sequences.addAll(held);
        for (TokenSequence sequence : held) {
          weight[i] += sequence.weight();
        }
      }
    }
    if (due.isEmpty()) {
      return;
    }
    List<MicroBatch> batches = pack(sequences, weight);
    double[] loss = losses(batches, decoder.run(batches, Pass.FORWARD, 0, 0));
    for (int i : due) {
      LaneState state = states.get(i);
      listener.validated(lanes.get(i).name(), state.step, loss[i]);
      if (loss[i] < state.bestLoss) {
        state.bestLoss = loss[i];
        state.best = decoder.parameters(i);
        state.worse = 0;
      } else if (++state.worse >= plan.patience() && plan.patience() > 0) {
        state.stopped = true;
        listener.stoppedEarly(lanes.get(i).name(), state.step, state.bestLoss);
      }
    }
  }

  /** Micro-batches whose weights add up to 1 for each lane. */
  private List<MicroBatch> pack(List<TokenSequence> sequences, double[] weight) {
    double[] scale = new double[weight.length];
    for (int i = 0; i < weight.length; i++) {
      scale[i] = weight[i] > 0 ? 1 / weight[i] : 0;
    }
    return MicroBatches.split(sequences, plan.microTokens(), decoder.compute().workers()).stream()
        .map(MicroBatch::pack)
        .map(batch -> batch.scaled(scale))
        .toList();
  }

  private double[] losses(List<MicroBatch> batches, List<float[]> perRow) {
    double[] loss = new double[lanes.size()];
    for (int b = 0; b < batches.size(); b++) {
      int[] adapters = batches.get(b).adapters();
      float[] weights = batches.get(b).weights();
      for (int row = 0; row < adapters.length; row++) {
        loss[adapters[row]] += (double) weights[row] * perRow.get(b)[row];
      }
    }
    return loss;
  }
}
