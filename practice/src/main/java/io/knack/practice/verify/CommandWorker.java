package io.knack.practice.verify;

import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import org.jspecify.annotations.Nullable;

/**
 * One long-lived process of a user's command, and the checks that it has not answered.
 *
 * <p>A command answers in the order in which it is asked, or names the id. When it dies, hangs or
 * grows too large, the oldest unanswered check is to blame: it alone is charged, the others are
 * asked again of a new process. A check that kills two processes is a fault, one that takes too
 * long or too much memory is a wrong answer.
 */
final class CommandWorker {
  /** Lines sent ahead of the replies: enough to hide latency, few enough to fit a pipe's buffer. */
  private static final int AHEAD = 64;

  private static final int MAX_BLAME = 2;

  private final CommandProcess process;
  private final Deque<Asked> queued = new ArrayDeque<>();
  private final Map<Long, Asked> sent = new LinkedHashMap<>();
  private @Nullable Running running;
  private long ids;
  private long headSinceNanos;
  private boolean closed;

  private static final class Asked {
    private final long id;
    private final Check check;
    private final CompletableFuture<Verification> result = new CompletableFuture<>();
    private final long askedNanos = System.nanoTime();
    private int blamed;

    private Asked(long id, Check check) {
      this.id = id;
      this.check = check;
    }
  }

  /** Compared by identity: each start is another one. */
  private static final class Running {
    private final CommandProcess.Started started;
    private final BlockingQueue<String> lines = new LinkedBlockingQueue<>();

    private Running(CommandProcess.Started started) {
      this.started = started;
    }

    Process process() {
      return started.process();
    }

    BlockingQueue<String> lines() {
      return lines;
    }
  }

  CommandWorker(CommandProcess process) {
    this.process = process;
  }

  CompletableFuture<Verification> submit(Check check) {
    List<Runnable> told = new ArrayList<>();
    Asked asked;
    synchronized (this) {
      asked = new Asked(ids++, check);
      if (closed) {
        asked.result.complete(Checked.fault("the verifier is closed", asked.askedNanos));
      } else {
        queued.add(asked);
        pump(told);
      }
    }
    told.forEach(Runnable::run);
    return asked.result;
  }

  /** Sends what may be sent; with the lock held. */
  private void pump(List<Runnable> told) {
    while (sent.size() < AHEAD && !queued.isEmpty()) {
      Asked asked = queued.remove();
      if (asked.result.isDone()) {
        continue;
      }
      Running to = running;
      if (to == null) {
        try {
          to = start();
        } catch (IOException e) {
          String fault = "the verifier's command cannot be started: " + e.getMessage();
          told.add(() -> asked.result.complete(Checked.fault(fault, asked.askedNanos)));
          continue;
        }
      }
      if (sent.isEmpty()) {
        headSinceNanos = System.nanoTime();
      }
      sent.put(asked.id, asked);
      to.lines().add(CommandProtocol.line(asked.id, asked.check));
    }
  }

  private Running start() throws IOException {
    CommandProcess.Started started = process.start();
    Running now = new Running(started);
    running = now;
    headSinceNanos = System.nanoTime();
    Daemons.named("verifier-questions").newThread(() -> write(now)).start();
    Daemons.named("verifier-replies").newThread(() -> read(now)).start();
    Daemons.named("verifier-errors").newThread(() -> drain(started.process())).start();
    return now;
  }

  /**
   * Never with the lock held: a command that is busy writing does not read. Lines that are there
   * together are sent together.
   */
  private static void write(Running to) {
    try (BufferedWriter in =
        new BufferedWriter(
            new OutputStreamWriter(to.process().getOutputStream(), StandardCharsets.UTF_8),
            1 << 16)) {
      while (true) {
        String line = to.lines().take();
        if (line.isEmpty()) {
          return;
        }
        in.write(line);
        in.write('\n');
        if (to.lines().isEmpty()) {
          in.flush();
        }
      }
    } catch (IOException e) {
      // It is dead: its reader says so, and what it did not answer is asked again.
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void drain(Process started) {
    byte[] buffer = new byte[8192];
    try (var errors = started.getErrorStream()) {
      int read = errors.read(buffer);
      while (read >= 0) {
        read = errors.read(buffer);
      }
    } catch (IOException e) {
      // Closed with its process.
    }
  }

  private void read(Running from) {
    String end = "ended";
    try (BufferedReader out =
        new BufferedReader(
            new InputStreamReader(from.process().getInputStream(), StandardCharsets.UTF_8))) {
      for (String line = line(out); line != null; line = line(out)) {
        CommandProtocol.Reply reply = CommandProtocol.parse(line);
        if (reply != null) {
          answered(from, reply);
        }
      }
    } catch (IOException e) {
      end = "failed: " + e.getMessage();
    }
    lost(from, "the verifier's command " + end, null);
  }

  /** The next line, cut at what a line may have; null at the end. */
  private static @Nullable String line(BufferedReader out) throws IOException {
    StringBuilder line = new StringBuilder();
    int c = out.read();
    if (c < 0) {
      return null;
    }
    for (; c >= 0 && c != '\n'; c = out.read()) {
      if (line.length() < CommandProcess.MAX_OUTPUT) {
        line.append((char) c);
      }
    }
    return line.toString();
  }

  private void answered(Running from, CommandProtocol.Reply reply) {
    List<Runnable> told = new ArrayList<>();
    synchronized (this) {
      if (running != from || sent.isEmpty()) {
        return;
      }
      Long id = reply.id() >= 0 ? Long.valueOf(reply.id()) : sent.keySet().iterator().next();
      Asked asked = sent.remove(id);
      if (asked == null) {
        return;
      }
      headSinceNanos = System.nanoTime();
      told.add(
          () ->
              asked.result.complete(
                  Checked.score(reply.score(), reply.reason(), asked.askedNanos)));
      pump(told);
    }
    told.forEach(Runnable::run);
  }

  /** Called now and then: stops a process whose oldest check takes too long or too much. */
  void watch() {
    Running now;
    long waited;
    synchronized (this) {
      now = running;
      waited = sent.isEmpty() ? 0 : System.nanoTime() - headSinceNanos;
    }
    if (now == null) {
      return;
    }
    if (waited > process.timeout().toNanos()) {
      lost(now, "", "stopped: more than " + process.timeout().toMillis() + " ms");
    } else if (waited > 0 && process.overMemory(now.process())) {
      lost(now, "", "stopped: more than " + (process.memoryBytes() >> 20) + " MB of memory");
    }
  }

  /**
   * A process is gone or to be stopped.
   *
   * @param wrong what makes the oldest check a wrong answer; null when it only may be to blame
   */
  private void lost(Running which, String fault, @Nullable String wrong) {
    List<Runnable> told = new ArrayList<>();
    synchronized (this) {
      if (running != which) {
        return;
      }
      running = null;
      List<Asked> again = new ArrayList<>(sent.values());
      sent.clear();
      if (!again.isEmpty()) {
        Asked head = again.get(0);
        head.blamed++;
        if (wrong != null) {
          again.remove(0);
          told.add(() -> head.result.complete(Checked.score(0, wrong, head.askedNanos)));
        } else if (head.blamed >= MAX_BLAME) {
          again.remove(0);
          told.add(() -> head.result.complete(Checked.fault(fault, head.askedNanos)));
        }
      }
      for (int i = again.size() - 1; i >= 0; i--) {
        queued.addFirst(again.get(i));
      }
    }
    stop(which);
    synchronized (this) {
      if (!closed) {
        pump(told);
      }
    }
    told.forEach(Runnable::run);
  }

  private static void stop(Running which) {
    which.started.kill();
    which.lines().add("");
  }

  void close() {
    List<Asked> left = new ArrayList<>();
    Running now;
    synchronized (this) {
      closed = true;
      now = running;
      running = null;
      left.addAll(sent.values());
      left.addAll(queued);
      sent.clear();
      queued.clear();
    }
    if (now != null) {
      stop(now);
    }
    left.forEach(a -> a.result.complete(Checked.fault("the verifier is closed", a.askedNanos)));
  }
}
