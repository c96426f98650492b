package io.knack.llm.vector;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Threads that run one job together, meeting at barriers. They spin while a job is under way, and
 * for a moment after it, since the next decode step is near; then they sleep.
 */
public final class Team implements AutoCloseable {
  /** What all threads run. */
  @FunctionalInterface
  public interface Job {
    /**
     * @param thread 0 for the caller's
     */
    void run(int thread);
  }

  /** Looks at a barrier before a thread lets others have its core: some 100 microseconds. */
  private static final int SPINS = 4_000;

  /** How long a thread without a job waits awake. */
  private static final long AWAKE_NANOS = 500_000;

  private final int size;
  private final List<Thread> workers = new ArrayList<>();
  private final AtomicInteger arrived = new AtomicInteger();
  private final AtomicInteger finished = new AtomicInteger();
  private final AtomicInteger phase = new AtomicInteger();
  private final AtomicInteger jobs = new AtomicInteger();
  private volatile boolean closed;
  private volatile @Nullable Throwable failure;
  private @Nullable Job job;

  /**
   * @param size threads, the caller's among them
   */
  public Team(int size) {
    this.size = size;
    for (int i = 1; i < size; i++) {
      int own = i;
      Thread worker = new Thread(() -> work(own), "knack-decode-" + own);
      worker.setDaemon(true);
      workers.add(worker);
      worker.start();
    }
  }

  public int size() {
    return size;
  }

  /** Runs a job on all threads; an error of one ends it on all and is thrown here. */
  public void run(Job next) {
    job = next;
    arrived.set(0);
    finished.set(0);
    failure = null;
    jobs.incrementAndGet();
    for (Thread worker : workers) {
      LockSupport.unpark(worker);
    }
    attempt(next, 0);
    for (int spins = 0; finished.get() < size - 1; spins++) {
      pause(spins);
    }
    Throwable failed = failure;
    if (failed != null) {
      throw new IllegalStateException("a decode step failed", failed);
    }
  }

  /** Waits until all threads of the job are here. */
  public void meet() {
    int now = phase.get();
    if (arrived.incrementAndGet() == size) {
      arrived.set(0);
      phase.set(now + 1);
      return;
    }
    for (int spins = 0; phase.get() == now; spins++) {
      if (failure != null) {
        throw new Abandoned();
      }
      pause(spins);
    }
  }

  // Yields: whoever holds the core may be the thread that is waited for.
  @SuppressWarnings("ThreadPriorityCheck")
  private static void pause(int spins) {
    if (spins < SPINS) {
      Thread.onSpinWait();
    } else {
      Thread.yield();
    }
  }

  private void attempt(Job current, int thread) {
    try {
      current.run(thread);
    } catch (Abandoned e) {
      // Another thread failed, and says why.
    } catch (RuntimeException | Error e) {
      failure = e;
    }
  }

  private void work(int thread) {
    int done = 0;
    long idle = System.nanoTime();
    while (!closed) {
      if (jobs.get() == done) {
        if (System.nanoTime() - idle > AWAKE_NANOS) {
          LockSupport.park(this);
        } else {
          Thread.onSpinWait();
        }
        continue;
      }
      done = jobs.get();
      Job current = job;
      if (current != null) {
        attempt(current, thread);
      }
      finished.incrementAndGet();
      idle = System.nanoTime();
    }
  }

  /** Ends the threads; no job may be under way. */
  @Override
  public void close() {
    closed = true;
    workers.forEach(LockSupport::unpark);
  }

  /** Unwinds a thread whose companion failed. */
  private static final class Abandoned extends RuntimeException {
    private static final long serialVersionUID = 1;

    Abandoned() {
      super("another thread failed", null, false, false);
    }
  }
}
