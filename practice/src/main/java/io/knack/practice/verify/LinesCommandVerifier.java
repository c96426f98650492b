package io.knack.practice.verify;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Keeps the command running and sends it one line per answer, many ahead of the replies, so that
 * neither side waits for the other.
 */
final class LinesCommandVerifier implements Verifier {
  private final List<CommandWorker> workers = new ArrayList<>();
  private final AtomicInteger next = new AtomicInteger();
  private final ScheduledExecutorService watch =
      Executors.newSingleThreadScheduledExecutor(Daemons.named("verifier-watch"));

  LinesCommandVerifier(CommandProcess process) {
    for (int i = 0; i < process.workers(); i++) {
      workers.add(new CommandWorker(process));
    }
    var unused =
        watch.scheduleWithFixedDelay(
            () -> workers.forEach(CommandWorker::watch), 20, 20, TimeUnit.MILLISECONDS);
  }

  @Override
  public Verification verify(Check check) {
    return submit(check).join();
  }

  @Override
  public CompletableFuture<Verification> submit(Check check) {
    return workers.get(Math.floorMod(next.getAndIncrement(), workers.size())).submit(check);
  }

  @Override
  public void close() {
    watch.shutdownNow();
    workers.forEach(CommandWorker::close);
  }
}
