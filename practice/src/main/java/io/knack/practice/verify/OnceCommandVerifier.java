package io.knack.practice.verify;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Starts the command anew for each answer. It reads one line and says what it thinks in its last
 * line, or only by its exit status: 0 is right, anything else wrong.
 */
final class OnceCommandVerifier implements Verifier {
  private final CommandProcess process;
  private final ExecutorService workers;

  OnceCommandVerifier(CommandProcess process) {
    this.process = process;
    this.workers =
        Executors.newFixedThreadPool(process.workers(), Daemons.named("verifier-command"));
  }

  @Override
  public Verification verify(Check check) {
    return submit(check).join();
  }

  @Override
  public CompletableFuture<Verification> submit(Check check) {
    CompletableFuture<Verification> result = new CompletableFuture<>();
    Future<?> work =
        workers.submit(
            () -> {
              try {
                result.complete(run(check));
              } catch (RuntimeException e) {
                result.completeExceptionally(e);
              }
            });
    result
        .whenComplete(
            (said, problem) -> {
              if (result.isCancelled()) {
                work.cancel(true);
              }
            })
        .exceptionally(problem -> null);
    return result;
  }

  private Verification run(Check check) {
    long started = System.nanoTime();
    CommandProcess.Started underway;
    try {
      underway = process.start();
    } catch (IOException e) {
      return Checked.fault("the verifier's command cannot be started: " + e.getMessage(), started);
    }
    Process running = underway.process();
    Tail output = Tail.follow(running.getInputStream());
    Tail errors = Tail.follow(running.getErrorStream());
    try {
      // On its own thread: a command that does not read must not keep us from stopping it.
      Daemons.named("verifier-question").newThread(() -> write(running, check)).start();
      String stopped = await(running, started);
      if (stopped != null) {
        return Checked.score(0, stopped, started);
      }
      CommandProtocol.Reply reply = CommandProtocol.parse(output.lastLine());
      int status = running.exitValue();
      if (reply != null) {
        return Checked.score(reply.score(), reply.reason(), started);
      }
      String said = errors.lastLine().isEmpty() ? output.lastLine() : errors.lastLine();
      return Checked.score(
          status == 0 ? 1 : 0, "exit status " + status + " " + Checked.brief(said), started);
    } catch (InterruptedException e) {
      return Checked.fault("cancelled", started);
    } finally {
      underway.kill();
    }
  }

  private static void write(Process running, Check check) {
    try (OutputStream in = running.getOutputStream()) {
      in.write((CommandProtocol.line(0, check) + "\n").getBytes(StandardCharsets.UTF_8));
    } catch (IOException e) {
      // A command that does not read its input may still say what it thinks.
    }
  }

  /** Why it had to be stopped, or null when it ended by itself. */
  private @Nullable String await(Process running, long started) throws InterruptedException {
    long deadline = started + process.timeout().toNanos();
    while (!running.waitFor(
        Math.max(1, Math.min(20_000_000, deadline - System.nanoTime())), TimeUnit.NANOSECONDS)) {
      if (process.overMemory(running)) {
        return "stopped: more than " + (process.memoryBytes() >> 20) + " MB of memory";
      }
      if (System.nanoTime() - deadline >= 0) {
        return "stopped: more than " + process.timeout().toMillis() + " ms";
      }
    }
    return null;
  }

  @Override
  public void close() {
    workers.shutdownNow();
  }

  /** The end of a stream, read by a thread of its own so that the writer never blocks. */
  private static final class Tail {
    private final Thread reader;
    private final StringBuilder text = new StringBuilder();

    private Tail(InputStream in) {
      reader =
          Daemons.named("verifier-output")
              .newThread(
                  () -> {
                    byte[] buffer = new byte[8192];
                    try (in) {
                      for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
                        synchronized (text) {
                          text.append(new String(buffer, 0, n, StandardCharsets.UTF_8));
                          int beyond = text.length() - CommandProcess.MAX_OUTPUT;
                          if (beyond > CommandProcess.MAX_OUTPUT) {
                            text.delete(0, beyond);
                          }
                        }
                      }
                    } catch (IOException e) {
                      // Closed with its process.
                    }
                  });
    }

    static Tail follow(InputStream in) {
      Tail tail = new Tail(in);
      tail.reader.start();
      return tail;
    }

    String lastLine() throws InterruptedException {
      reader.join(1000);
      synchronized (text) {
        return Extract.LAST_LINE.of(text.toString());
      }
    }
  }
}
