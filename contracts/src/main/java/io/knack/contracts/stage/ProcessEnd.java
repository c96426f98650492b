package io.knack.contracts.stage;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * How a process ends that is asked to (SIGTERM, {@code System.exit}). Its last acts come when an
 * {@link OrderlyStop} has had its time, at once where none is open; after an orderly stop its exit
 * code is that of the verb it runs.
 */
public final class ProcessEnd {
  private static final List<Runnable> ACTS = new CopyOnWriteArrayList<>();
  private static final AtomicInteger STOPS = new AtomicInteger();

  /** From saved to said: messages are printed, output is flushed. */
  private static final Duration LAST_WORDS = Duration.ofSeconds(10);

  private static volatile @Nullable CompletableFuture<Integer> verb;

  static {
    Runtime.getRuntime().addShutdownHook(new Thread(ProcessEnd::unlessStopping, "process-end"));
  }

  private ProcessEnd() {}

  /** Adds an act. It must not wait for other threads for longer than a user would. */
  public static void lastly(Runnable act) {
    ACTS.add(act);
  }

  /** A verb begins, and is this process's work from now on. */
  public static void verbBegins() {
    verb = new CompletableFuture<>();
  }

  /** The verb has said all it had to say, and ends the process with this code. */
  public static void verbEnds(int exitCode) {
    CompletableFuture<Integer> begun = verb;
    if (begun != null) {
      begun.complete(exitCode);
    }
  }

  /** The code of the verb that an orderly stop has just let go; {@code otherwise} without one. */
  static int exitCode(int otherwise) throws InterruptedException {
    CompletableFuture<Integer> begun = verb;
    if (begun == null) {
      return otherwise;
    }
    try {
      return begun.get(LAST_WORDS.toSeconds(), TimeUnit.SECONDS);
    } catch (ExecutionException | TimeoutException e) {
      return otherwise;
    }
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
