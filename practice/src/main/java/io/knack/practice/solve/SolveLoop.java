package io.knack.practice.solve;

import io.knack.contracts.Budget;
import io.knack.contracts.stage.TemporaryException;
import io.knack.llm.Completion;
import io.knack.llm.GenerationListener;
import io.knack.llm.GenerationRequest;
import io.knack.llm.GenerationSession;
import io.knack.llm.LanguageModel;
import io.knack.llm.Sample;
import io.knack.practice.prompt.Prompts;
import io.knack.practice.verify.Check;
import io.knack.practice.verify.Verification;
import io.knack.practice.verify.Verifier;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Drives the searches of many tasks over one generation session.
 *
 * <p>Everything that changes state happens on the thread that called {@link #run}: the session
 * calls its listeners there, and verifiers that work elsewhere hand their results to a queue that
 * is emptied at each such call, and waited for when the session has nothing to do. A verifier that
 * asks a model cannot work while the session is open, since sessions of a model run one at a time:
 * its checks gather until the session runs dry, and are then made in one batch of their own. A
 * window of tasks is open at a time, so that early tasks are reported early and a long list costs
 * no memory.
 */
final class SolveLoop {
  /** Open tasks at most: enough to fill any batch of one device. */
  static final int WINDOW = 256;

  private final LoopSolver solver;
  private final LanguageModel model;
  private final SolverOptions options;
  private final Prompts prompts;
  private final SolveListener listener;

  private final LinkedBlockingQueue<Runnable> arrived = new LinkedBlockingQueue<>();
  private final Map<Verifier, List<Gathered>> gathered = new LinkedHashMap<>();
  private final Set<TaskRun> open = new HashSet<>();
  private Iterator<SolveTask> waiting = Collections.emptyIterator();
  private int requests;
  private int verifications;
  private @Nullable GenerationSession session;

  private record Gathered(Check check, Consumer<Verification> then) {}

  SolveLoop(LoopSolver solver, LanguageModel model, SolverOptions options, SolveListener listener) {
    this.solver = solver;
    this.model = model;
    this.options = options;
    this.prompts = Prompts.of(options.form());
    this.listener = listener;
  }

  void run(List<SolveTask> tasks) {
    refuseDoubles(tasks);
    waiting = tasks.iterator();
    try {
      admit();
      while (!open.isEmpty()) {
        if (session != null) {
          session.run();
        }
        takeArrived();
        admit();
        if (requests == 0 && !open.isEmpty()) {
          if (verifications > 0) {
            takeOne();
          } else {
            closeSession();
            checkGathered();
          }
        }
      }
    } finally {
      open.forEach(TaskRun::abandon);
      closeSession();
    }
  }

  private static void refuseDoubles(List<SolveTask> tasks) {
    Set<String> ids = new HashSet<>();
    for (SolveTask task : tasks) {
      if (!ids.add(task.id())) {
        throw new IllegalArgumentException("two tasks have the id '" + task.id() + "'");
      }
    }
  }

  private void admit() {
    while (waiting.hasNext() && open.size() < WINDOW) {
      TaskRun run = new TaskRun(this, waiting.next());
      open.add(run);
      run.start(solver.search().get());
    }
  }

  private void takeOne() {
    try {
      arrived.take().run();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new TemporaryException("solving was interrupted; run it again", e);
    }
  }

  private void takeArrived() {
    for (Runnable next = arrived.poll(); next != null; next = arrived.poll()) {
      next.run();
    }
  }

  private void checkGathered() {
    if (gathered.isEmpty()) {
      throw new IllegalStateException("a search of " + solver.name() + " waits for nothing");
    }
    Map<Verifier, List<Gathered>> batches = new LinkedHashMap<>(gathered);
    gathered.clear();
    batches.forEach(
        (verifier, batch) -> {
          List<Verification> said =
              verifier.verifyAll(batch.stream().map(Gathered::check).toList());
          for (int i = 0; i < batch.size(); i++) {
            batch.get(i).then().accept(said.get(i));
          }
        });
  }

  /** Queues a request of a task; the session opens when it is first needed. */
  GenerationSession.Handle submit(GenerationRequest request, TaskRun.Asked asked) {
    if (session == null) {
      session = model.open();
    }
    requests++;
    return session.submit(
        request,
        new GenerationListener() {
          private boolean done;

          @Override
          public void sampled(Sample sample) {
            // Nothing of another task may come between: a session goes on in the same place when
            // the same prompt is asked again here.
            asked.sampled(sample);
          }

          @Override
          public void completed(Completion completion) {
            if (done()) {
              asked.completed(completion.usage());
              takeArrived();
              admit();
            }
          }

          @Override
          public void failed(RuntimeException problem) {
            if (done()) {
              asked.failed(problem);
              admit();
            }
          }

          private boolean done() {
            boolean first = !done;
            done = true;
            requests -= first ? 1 : 0;
            return first;
          }
        });
  }

  /** Checks an answer; the result is handed over on this loop's thread. */
  @Nullable CompletableFuture<Verification> check(
      Verifier verifier, Check check, Consumer<Verification> then) {
    if (verifier.asksModel()) {
      gathered.computeIfAbsent(verifier, v -> new ArrayList<>()).add(new Gathered(check, then));
      return null;
    }
    CompletableFuture<Verification> result = verifier.submit(check);
    if (result.isDone() && !result.isCompletedExceptionally()) {
      then.accept(result.join());
      return null;
    }
    verifications++;
    var unused =
        result.whenComplete(
            (said, problem) ->
                arrived.add(
                    () -> {
                      verifications--;
                      then.accept(
                          said != null
                              ? said
                              : new Verification(0, "not checked", Budget.ZERO, reason(problem)));
                    }));
    return result;
  }

  private static String reason(@Nullable Throwable problem) {
    return problem instanceof CancellationException ? "cancelled" : "verifier: " + problem;
  }

  void report(TaskRun run, Solution solution) {
    if (open.remove(run)) {
      listener.solved(run.task(), solution);
    }
  }

  String method() {
    return solver.name();
  }

  SolverOptions options() {
    return options;
  }

  Prompts prompts() {
    return prompts;
  }

  LanguageModel model() {
    return model;
  }

  private void closeSession() {
    if (session != null) {
      session.close();
      session = null;
    }
  }
}
