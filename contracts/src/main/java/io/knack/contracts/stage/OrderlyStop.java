package io.knack.contracts.stage;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Turns SIGTERM into a request: the work sees {@link #requested()}, saves, and leaves; the process
 * then ends with the verb's own exit code instead of the signal's.
 */
public final class OrderlyStop implements AutoCloseable {
  /** Longer than any stage needs to save; a scheduler's kill comes later than that. */
  private static final Duration PATIENCE = Duration.ofSeconds(90);

  private final AtomicBoolean requested = new AtomicBoolean();
  private final CountDownLatch done = new CountDownLatch(1);
  private final Thread hook = new Thread(this::onSignal, "orderly-stop");

  public OrderlyStop() {
    ProcessEnd.stopOpened();
    Runtime.getRuntime().addShutdownHook(hook);
  }

  public boolean requested() {
    return requested.get();
  }

  @Override
  public void close() {
    done.countDown();
    if (!requested.get()) {
      try {
        Runtime.getRuntime().removeShutdownHook(hook);
        ProcessEnd.stopClosed();
      } catch (IllegalStateException e) {
        // The signal came at this very moment: the hook runs and finds the work done.
      }
    }
  }

  private void onSignal() {
    requested.set(true);
    int exit = ExitCode.TEMPORARY.code();
    try {
      if (done.await(PATIENCE.toSeconds(), TimeUnit.SECONDS)) {
        exit = ProcessEnd.exitCode(exit);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    ProcessEnd.act();
    Runtime.getRuntime().halt(exit);
  }
}
