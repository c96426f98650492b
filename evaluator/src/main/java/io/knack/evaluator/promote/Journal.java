package io.knack.evaluator.promote;

import com.fasterxml.jackson.core.JsonProcessingException;
import io.knack.contracts.stage.ContractException;
import io.knack.contracts.stage.TemporaryException;
import io.knack.contracts.store.DurableFiles;
import io.knack.contracts.store.Jsons;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/** {@code serving/journal.jsonl}: what promotion set out to do and has done. Append-only. */
public final class Journal {
  /** A file lock is for processes; threads of one process need their own. */
  private static final ReentrantLock IN_PROCESS = new ReentrantLock();

  private final Path file;

  public Journal(Path home) {
    this.file = home.resolve("serving").resolve("journal.jsonl");
  }

  /** What a line says. */
  public enum Step {
    /** A manifest of this number is about to be written. */
    INTENDED,
    /** It is there: serving reads it. */
    LIVE,
    /** Aliases are about to move to it. */
    ALIASES_INTENDED,
    /** Aliases point to it. */
    ALIASES_MOVED,
    /** Nothing is left to do. */
    DONE,
    /** Somebody else took the number. */
    LOST
  }

  /**
   * One line.
   *
   * @param source what the manifest was made of: an evaluation, or an earlier manifest
   */
  public record Line(
      Instant at, String run, Step step, long manifest, String source, @Nullable String note) {}

  @SuppressWarnings("try") // the lock is held by its scope
  void append(Line line) {
    IN_PROCESS.lock();
    try (FileChannel held = lock()) {
      DurableFiles.appendLine(file, Jsons.mapper().writeValueAsString(line));
    } catch (IOException e) {
      throw new TemporaryException("cannot write " + file + ": " + e.getMessage(), e);
    } finally {
      IN_PROCESS.unlock();
    }
  }

  /** Against other processes, until the channel is closed. */
  private FileChannel lock() throws IOException {
    Path lock = file.resolveSibling(".journal.lock");
    Files.createDirectories(file.getParent());
    FileChannel channel =
        FileChannel.open(lock, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    if (!channel.lock().isValid()) {
      channel.close();
      throw new IOException("the lock " + lock + " was lost");
    }
    return channel;
  }

  /** In the order in which they were written. */
  public List<Line> lines() {
    List<Line> lines = new ArrayList<>();
    try {
      for (String line : DurableFiles.wholeLines(file)) {
        lines.add(Jsons.mapper().readValue(line, Line.class));
      }
    } catch (JsonProcessingException e) {
      throw new ContractException(file + " is damaged: " + Jsons.words(e), e);
    } catch (IOException e) {
      throw new TemporaryException("cannot read " + file + ": " + e.getMessage(), e);
    }
    return lines;
  }

  /** Whether a manifest has got this far. */
  boolean reached(long manifest, Step step) {
    return lines().stream().anyMatch(l -> l.manifest() == manifest && l.step() == step);
  }
}
