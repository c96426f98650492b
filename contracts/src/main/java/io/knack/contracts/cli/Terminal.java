package io.knack.contracts.cli;

import java.io.PrintStream;
import java.time.Duration;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * The {@link Console} of a process: a progress bar where standard error is a terminal, a plain line
 * every ten seconds where it is not.
 */
public final class Terminal implements Console {
  private static final Duration PLAIN_INTERVAL = Duration.ofSeconds(10);
  private static final Duration BAR_INTERVAL = Duration.ofMillis(200);
  private static final int BAR_WIDTH = 24;

  private final PrintStream err;
  private final boolean terminal;

  Terminal(PrintStream err, boolean terminal) {
    this.err = err;
    this.terminal = terminal;
  }

  /** On standard error. The launcher says in {@code KNACK_TERMINAL} whether that is a terminal. */
  public static Terminal standard() {
    return new Terminal(System.err, "1".equals(System.getenv("KNACK_TERMINAL")));
  }

  @Override
  public void say(String line) {
    err.println(line);
  }

  @Override
  public Progress progress(String what, long total) {
    return new Bar(what, total);
  }

  private final class Bar implements Progress {
    private final String what;
    private final long total;
    private final long started = System.nanoTime();
    private long shown = started;
    private long done;
    private @Nullable String note;

    private Bar(String what, long total) {
      this.what = what;
      this.total = total;
    }

    @Override
    public synchronized void step(long count) {
      done += count;
      long now = System.nanoTime();
      Duration interval = terminal ? BAR_INTERVAL : PLAIN_INTERVAL;
      if (now - shown >= interval.toNanos()) {
        shown = now;
        show(now);
      }
    }

    @Override
    public synchronized void note(String words) {
      note = words;
    }

    @Override
    public synchronized void close() {
      show(System.nanoTime());
      if (terminal) {
        err.println();
      }
    }

    private void show(long now) {
      double seconds = (now - started) / 1e9;
      double rate = seconds > 0 ? done / seconds : 0;
      StringBuilder line = new StringBuilder(what).append(' ');
      if (total > 0) {
        if (terminal) {
          int filled = (int) Math.min(BAR_WIDTH, BAR_WIDTH * done / total);
          line.append('[')
              .append("=".repeat(filled))
              .append(" ".repeat(BAR_WIDTH - filled))
              .append("] ");
        }
        line.append(done).append('/').append(total);
      } else {
        line.append(done);
      }
      line.append(String.format(Locale.ROOT, ", %.1f/s", rate));
      if (total > done && rate > 0) {
        line.append(", ").append(spell((total - done) / rate)).append(" left");
      } else {
        line.append(", ").append(spell(seconds));
      }
      if (note != null) {
        line.append(", ").append(note);
      }
      if (terminal) {
        err.print("\r" + line + "\u001b[K");
        err.flush();
      } else {
        err.println(line);
      }
    }

    private static String spell(double seconds) {
      long s = Math.round(seconds);
      if (s < 60) {
        return s + " s";
      }
      return s < 3600
          ? s / 60 + " min " + s % 60 + " s"
          : s / 3600 + " h " + s % 3600 / 60 + " min";
    }
  }
}
