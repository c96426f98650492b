package io.knack.practice.solve;

import io.knack.contracts.Message;
import io.knack.llm.Sample;
import io.knack.practice.prompt.PromptForm;
import io.knack.practice.prompt.Prompts.Tried;
import java.util.ArrayList;
import java.util.List;

/**
 * Answer, feedback, revision, until an answer passes or the rounds are spent (Madaan et al.,
 * "Self-Refine", 2023). Feedback is asked for only when another round will use it.
 */
final class SelfRefine implements Search {
  private final List<Tried> history = new ArrayList<>();
  private int round;

  @Override
  public void start(TaskRun run) {
    answer(run);
  }

  private void answer(TaskRun run) {
    run.spend(1);
    TaskRun.Asked[] request = new TaskRun.Asked[1];
    request[0] =
        run.ask(
            round == 0 ? run.task().messages() : revision(run),
            1,
            run.sampling(2L * round, run.options().maxTokens(), List.of()),
            sample -> check(run, request[0], sample));
  }

  private void check(TaskRun run, TaskRun.Asked request, Sample sample) {
    run.check(
        sample.text(),
        request,
        sample.completionTokens(),
        said -> {
          round++;
          if (run.passes(said) || round >= run.options().rounds()) {
            run.finish();
          } else {
            feedback(run, sample.text());
          }
        });
  }

  private void feedback(TaskRun run, String answer) {
    int limit = run.options().maxTokens();
    if (run.options().form() == PromptForm.SHORT) {
      limit = Math.min(limit, 64);
    }
    run.ask(
        shortened(run, limit, () -> run.prompts().feedback(run.task().messages(), history, answer)),
        1,
        run.sampling(2L * round - 1, limit, run.prompts().feedbackStop()),
        sample -> {
          history.add(new Tried(answer, sample.text()));
          while (history.size() > Math.max(1, run.options().history())) {
            history.remove(0);
          }
          answer(run);
        });
  }

  private List<Message> revision(TaskRun run) {
    return shortened(
        run, run.options().maxTokens(), () -> run.prompts().revise(run.task().messages(), history));
  }

  /** Forgets the oldest attempts until the prompt fits. */
  private List<Message> shortened(
      TaskRun run, int reply, java.util.function.Supplier<List<Message>> prompt) {
    List<Message> messages = prompt.get();
    while (!history.isEmpty() && !run.fits(messages, reply)) {
      history.remove(0);
      messages = prompt.get();
    }
    return messages;
  }
}
