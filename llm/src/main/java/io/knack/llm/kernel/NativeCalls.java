package io.knack.llm.kernel;

import io.knack.contracts.stage.ProcessEnd;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/**
 * Kernel calls and the end of the process.
 *
 * <p>A JVM ends through the C library's {@code exit}, which destroys the native libraries' globals
 * while other threads may still compute: oneDNN then reads the stream that all of its primitives
 * share after it is gone, and a process that was merely asked to stop dies of SIGSEGV. So the end
 * waits for the calls under way, and calls that come later never return.
 */
final class NativeCalls {
  /** For the calls under way; one of them is a decode step, or a part of a training step. */
  private static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(20);

  private static final long POLL_NANOS = TimeUnit.MILLISECONDS.toNanos(1);
  private static final AtomicInteger UNDER_WAY = new AtomicInteger();
  private static volatile boolean ending;

  static {
    ProcessEnd.lastly(NativeCalls::end);
  }

  private NativeCalls() {}

  static void enter() {
    UNDER_WAY.incrementAndGet();
    if (ending) {
      UNDER_WAY.decrementAndGet();
      while (true) {
        LockSupport.park();
      }
    }
  }

  static void leave() {
    UNDER_WAY.decrementAndGet();
  }

  static int underWay() {
    return UNDER_WAY.get();
  }

  private static void end() {
    ending = true;
    long start = System.nanoTime();
    while (UNDER_WAY.get() > 0 && System.nanoTime() - start < PATIENCE_NANOS) {
      LockSupport.parkNanos(POLL_NANOS);
    }
  }
}
