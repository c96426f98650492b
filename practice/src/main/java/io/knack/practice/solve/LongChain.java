package io.knack.practice.solve;

import io.knack.contracts.Message;
import io.knack.llm.FinishReason;
import io.knack.llm.Sample;
import io.knack.practice.prompt.Replies;
import java.util.ArrayList;
import java.util.List;

/**
 * One long chain of thought, cut after each conclusion: the chain ends with the first that passes,
 * otherwise the check is written into it as failed and the chain goes on.
 */
final class LongChain implements Search {
  private static final int MAX_CONCLUSIONS = 64;

  private final List<String> rejected = new ArrayList<>();
  private long spent;

  @Override
  public void start(TaskRun run) {
    go(run);
  }

  private void go(TaskRun run) {
    long left = run.options().chainTokens() - spent;
    List<Message> messages = run.prompts().chain(run.task().messages(), rejected);
    boolean first = rejected.isEmpty();
    if (left <= 0
        || rejected.size() >= MAX_CONCLUSIONS
        || (!first && !run.fits(messages, (int) Math.min(left, 16)))) {
      run.finish();
      return;
    }
    TaskRun.Asked[] request = new TaskRun.Asked[1];
    request[0] =
        run.ask(
            messages,
            1,
            run.sampling(rejected.size(), (int) left, run.prompts().chainStop()),
            sample -> concluded(run, request[0], sample));
  }

  private void concluded(TaskRun run, TaskRun.Asked request, Sample sample) {
    spent += sample.completionTokens();
    run.spend(sample.completionTokens());
    boolean last = sample.finishReason() == FinishReason.LENGTH || sample.text().isBlank();
    if (Replies.conclusion(sample.text()).isEmpty()) {
      next(run, sample, last);
      return;
    }
    run.check(
        sample.text(),
        request,
        sample.completionTokens(),
        said -> next(run, sample, last || run.passes(said)));
  }

  private void next(TaskRun run, Sample sample, boolean last) {
    if (last) {
      run.finish();
    } else {
      rejected.add(sample.text());
      go(run);
    }
  }
}
