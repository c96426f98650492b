package io.knack.practice.solve;

import io.knack.llm.Sample;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Samples answers until one passes. A wave asks for several at once, which share the prompt; they
 * are checked in the order of their index, so that the answer and the books are those of sampling
 * one after another, and what a wave produced beyond is waste.
 */
final class BestOfN implements Search {
  private int asked;

  @Override
  public void start(TaskRun run) {
    wave(run);
  }

  private void wave(TaskRun run) {
    int size = Math.min(run.options().waveSize(), run.options().maxSamples() - asked);
    if (size <= 0) {
      run.finish();
      return;
    }
    new Wave(run, size).ask();
  }

  private final class Wave {
    private final TaskRun run;
    private final @Nullable Sample[] samples;
    private TaskRun.@Nullable Asked request;
    private int next;
    private boolean checking;

    Wave(TaskRun run, int size) {
      this.run = run;
      this.samples = new Sample[size];
    }

    void ask() {
      int first = asked;
      asked += samples.length;
      request =
          run.ask(
              run.task().messages(),
              samples.length,
              run.sampling(first, run.options().maxTokens(), List.of()),
              sample -> {
                samples[sample.index()] = sample;
                check();
              });
    }

    private void check() {
      Sample sample = next < samples.length ? samples[next] : null;
      if (checking || sample == null) {
        return;
      }
      checking = true;
      run.spend(1);
      run.check(
          sample.text(),
          next == 0 ? request : null,
          sample.completionTokens(),
          said -> {
            checking = false;
            next++;
            if (run.passes(said)) {
              for (int i = next; i < samples.length; i++) {
                Sample beyond = samples[i];
                if (beyond != null) {
                  run.waste(beyond);
                }
              }
              run.finish();
            } else if (next == samples.length) {
              wave(run);
            } else {
              check();
            }
          });
    }
  }
}
