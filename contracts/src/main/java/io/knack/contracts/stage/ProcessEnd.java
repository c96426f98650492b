package io.knack.contracts.stage;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * What has to be the last act of a process, however it is asked to end (SIGTERM, {@code
 * System.exit}): it comes when an {@link OrderlyStop} has had its time, at once where none is open.
 */
public final class ProcessEnd {
  private static final List<Runnable> ACTS = new CopyOnWriteArrayList<>();
  private static final AtomicInteger STOPS = new AtomicInteger();

  static {
    Runtime.getRuntime().addShutdownHook(new Thread(ProcessEnd::unlessStopping, "process-end"));
  }

  private ProcessEnd() {}

  /** Adds an act. It must not wait for other threads for longer than a user would. */
  public static void lastly(Runnable act) {
    ACTS.add(act);
  }

  static void stopOpened() {
    STOPS.incrementAndGet();
  }

  static void stopClosed() {
    STOPS.decrementAndGet();
  }

  static void act() {
    ACTS.forEach(Runnable::run);
  }

  private static void unlessStopping() {
    if (STOPS.get() == 0) {
      act();
    }
  }
}
