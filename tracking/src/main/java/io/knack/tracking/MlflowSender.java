package io.knack.tracking;

import com.fasterxml.jackson.core.JsonProcessingException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Carries spools to an MLflow server on a thread of its own: first those that earlier processes
 * left, then its own as it grows. The spool is the queue, so memory is bounded by one batch.
 *
 * <p>How far a spool has been sent stands in {@code NAME.offset}, written behind each batch; after
 * a crash between the two the batch is sent again, which MLflow takes as the same values. What the
 * server refuses for good goes to {@code NAME.rejected.jsonl} with the reason. A spool that is sent
 * to its end moves to {@code sent/}.
 */
final class MlflowSender implements Forwarding {
  private static final Logger LOG = LoggerFactory.getLogger(MlflowSender.class);
  private static final int CHUNK = 1 << 20;

  /** MLflow takes 1,000 entities in a batch, 100 of them parameters and 100 tags. */
  private static final int BATCH = 100;

  private static final Duration FIRST_WAIT = Duration.ofSeconds(1);
  private static final Duration LONGEST_WAIT = Duration.ofMinutes(1);

  private final Path directory;
  private final Spool spool;
  private final MlflowServer server;
  private final String experiment;
  private final Duration closing;
  private final Thread thread;
  private final Map<String, String> experiments = new HashMap<>();
  private final Object lock = new Object();
  private boolean news = true;
  private boolean draining;
  private boolean finished;
  private boolean warned;
  private volatile long ownSent;
  private volatile long left;

  MlflowSender(Path directory, Spool spool, MlflowServer server, TrackingPlan plan) {
    this.directory = directory;
    this.spool = spool;
    this.server = server;
    this.experiment = plan.experiment();
    this.closing = plan.closing();
    this.thread = new Thread(this::run, "mlflow-sender");
    thread.setDaemon(true);
    thread.start();
  }

  @Override
  public void wake() {
    synchronized (lock) {
      news = true;
      lock.notifyAll();
    }
  }

  @Override
  public long pending() {
    return left + Math.max(0, spool.size() - ownSent);
  }

  @Override
  public void drain() {
    long deadline = System.nanoTime() + closing.toNanos();
    synchronized (lock) {
      draining = true;
      lock.notifyAll();
      try {
        while (!finished) {
          long millis = (deadline - System.nanoTime()) / 1_000_000;
          if (millis <= 0) {
            break;
          }
          lock.wait(millis);
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt(); // The caller wants to leave: what is left stays.
      }
    }
  }

  @Override
  public void close() {
    boolean all;
    synchronized (lock) {
      all = finished && ownSent == spool.size();
    }
    thread.interrupt();
    server.close();
    if (all && spool.size() > 0) {
      try {
        retire(spool.file());
      } catch (IOException e) {
        LOG.warn("tracking cannot move {}: {}", spool.file(), e.toString());
      }
    } else if (pending() > 0) {
      LOG.info(
          "tracking: {} bytes wait in {} for the next stage to send them", pending(), directory);
    }
  }

  private void run() {
    Duration wait = FIRST_WAIT;
    while (true) {
      boolean last;
      synchronized (lock) {
        last = draining;
        news = false;
      }
      boolean worked;
      try {
        everything();
        worked = true;
        wait = FIRST_WAIT;
      } catch (IOException e) {
        worked = false;
        if (!warned) {
          warned = true;
          LOG.warn("tracking server: {}; records are kept and sent later", e.toString());
        }
      } catch (RuntimeException e) {
        LOG.error("tracking stops sending in this process; records are kept", e);
        last = true;
        worked = false;
      }
      synchronized (lock) {
        if (last || Thread.currentThread().isInterrupted()) {
          finished = true;
          lock.notifyAll();
          return;
        }
        try {
          long deadline = System.nanoTime() + wait.toNanos();
          // After a failure only time or the end counts, otherwise news too.
          while (!draining && !(worked && news)) {
            long millis = (deadline - System.nanoTime()) / 1_000_000;
            if (worked) {
              lock.wait();
            } else if (millis > 0) {
              lock.wait(millis);
            } else {
              break;
            }
          }
        } catch (InterruptedException e) {
          finished = true;
          lock.notifyAll();
          return;
        }
      }
      if (!worked) {
        wait =
            wait.multipliedBy(2).compareTo(LONGEST_WAIT) < 0 ? wait.multipliedBy(2) : LONGEST_WAIT;
      }
    }
  }

  private void everything() throws IOException {
    List<Path> older = older();
    if (older.isEmpty() && ownSent == spool.size()) {
      return;
    }
    server.check();
    for (Path file : older) {
      try (FileChannel channel =
              FileChannel.open(
                  beside(file, ".lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
          FileLock mine = channel.tryLock()) {
        if (mine != null && Files.exists(file)) {
          send(file, Long.MAX_VALUE);
          endKilled(file);
          retire(file);
        }
      } catch (OverlappingFileLockException | NoSuchFileException e) {
        LOG.debug("{} is another process's, or has just been sent", file, e);
      }
    }
    left = 0;
    if (spool.size() > 0) {
      ownSent = send(spool.file(), spool.size());
    }
  }

  private List<Path> older() throws IOException {
    if (!Files.isDirectory(directory)) {
      return List.of();
    }
    List<Path> files;
    try (Stream<Path> all = Files.list(directory)) {
      files =
          all.filter(file -> file.toString().endsWith(".jsonl"))
              .filter(file -> !file.toString().endsWith(".rejected.jsonl"))
              .filter(file -> !file.equals(spool.file()))
              .sorted()
              .toList();
    }
    long bytes = 0;
    for (Path file : files) {
      try {
        bytes += Math.max(0, Files.size(file) - offset(file));
      } catch (NoSuchFileException e) {
        LOG.debug("{} has just been sent by another process", file, e);
      }
    }
    left = bytes;
    return files;
  }

  /** Sends whole lines up to {@code end} and returns the offset behind the last of them. */
  private long send(Path file, long end) throws IOException {
    long at = offset(file);
    if (at > 0) {
      remember(file, at);
    }
    while (true) {
      byte[] chunk = read(file, at, end);
      int stop = 0;
      List<Event> batch = new ArrayList<>();
      List<String> lines = new ArrayList<>();
      for (int i = 0; i < chunk.length; i++) {
        if (chunk[i] != '\n') {
          continue;
        }
        String line = new String(chunk, stop, i - stop, StandardCharsets.UTF_8);
        Event event = Spool.JSON.readValue(line, Event.class);
        if (!joins(batch, event)) {
          at += flush(file, batch, lines, at);
        }
        batch.add(event);
        lines.add(line);
        stop = i + 1;
      }
      at += flush(file, batch, lines, at);
      if (stop == 0) {
        return at; // The end, or the torn line of a process that was killed.
      }
    }
  }

  private static boolean joins(List<Event> batch, Event event) {
    if (batch.isEmpty()) {
      return true;
    }
    String run = batchable(event);
    int entities = batch.stream().mapToInt(MlflowSender::entities).sum() + entities(event);
    return !run.isEmpty() && run.equals(batchable(batch.get(0))) && entities <= BATCH;
  }

  /** The run whose batch the event may join; empty for an event that goes alone. */
  private static String batchable(Event event) {
    if (event instanceof Event.Params params) {
      return params.run();
    } else if (event instanceof Event.Metrics metrics) {
      return metrics.run();
    } else if (event instanceof Event.Tag tag) {
      return tag.run();
    }
    return "";
  }

  private static int entities(Event event) {
    if (event instanceof Event.Params params) {
      return params.params().size();
    } else if (event instanceof Event.Metrics metrics) {
      return metrics.values().size();
    }
    return 1;
  }

  /** Sends a batch, notes it, empties it; returns its bytes in the file. */
  private long flush(Path file, List<Event> batch, List<String> lines, long at) throws IOException {
    if (batch.isEmpty()) {
      return 0;
    }
    try {
      one(batch);
    } catch (RejectedException e) {
      // One bad event must not take its companions with it.
      for (int i = 0; i < batch.size(); i++) {
        try {
          if (batch.size() == 1) {
            throw e;
          }
          one(List.of(batch.get(i)));
        } catch (RejectedException alone) {
          reject(file, lines.get(i), String.valueOf(alone.getMessage()));
        }
      }
    }
    long bytes = 0;
    for (String line : lines) {
      bytes += line.getBytes(StandardCharsets.UTF_8).length + 1L;
    }
    Path offset = beside(file, ".offset");
    Path next = beside(file, ".offset.tmp");
    Files.writeString(next, Long.toString(at + bytes));
    Files.move(next, offset, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    batch.clear();
    lines.clear();
    return bytes;
  }

  private void one(List<Event> batch) throws IOException, RejectedException {
    Event event = batch.get(0);
    if (event instanceof Event.Start start) {
      experiments.put(start.run(), start.experiment());
      if (start.shared()) {
        startShared(start);
      } else {
        server.start(start);
      }
    } else if (event instanceof Event.End end) {
      server.end(end, of(end.run()));
    } else if (event instanceof Event.ArtifactFile artifact) {
      Path file = directory.resolve(artifact.file()).normalize();
      if (!file.startsWith(directory) || !Files.isRegularFile(file)) {
        throw new RejectedException("the kept file " + artifact.file() + " is gone");
      }
      server.artifact(artifact.run(), of(artifact.run()), artifact.path(), file);
    } else if (event instanceof Event.Register register) {
      String run = register.run();
      server.register(register, run == null ? experiment : of(run));
    } else if (event instanceof Event.SetAlias alias) {
      server.setAlias(new ModelVersion(alias.model(), alias.key()), alias.alias());
    } else if (event instanceof Event.DeleteAlias alias) {
      server.deleteAlias(alias.model(), alias.alias());
    } else if (event instanceof Event.VersionTag tag) {
      server.versionTag(new ModelVersion(tag.model(), tag.key()), tag.name(), tag.value());
    } else {
      String run = batchable(event);
      server.log(run, of(run), batch);
    }
  }

  /** Looking for the run and making it is one step over the processes of a workspace. */
  private void startShared(Event.Start start) throws IOException, RejectedException {
    try (FileChannel channel =
            FileChannel.open(
                directory.resolve("shared.lock"),
                StandardOpenOption.CREATE,
                StandardOpenOption.WRITE);
        FileLock mine = channel.lock()) {
      if (mine.isValid()) {
        server.start(start);
      }
    } catch (OverlappingFileLockException e) {
      throw new IOException("another tracker of this process starts the same run", e);
    }
  }

  /** A process that died ended no run: what it left open was killed. */
  private void endKilled(Path file) throws IOException {
    Map<String, Event.Start> open = new LinkedHashMap<>();
    for (String line : Files.readAllLines(file)) {
      if (line.startsWith("{\"event\":\"start\"") || line.startsWith("{\"event\":\"end\"")) {
        try {
          Event event = Spool.JSON.readValue(line, Event.class);
          if (event instanceof Event.Start start) {
            open.put(start.run(), start);
          } else if (event instanceof Event.End end) {
            open.remove(end.run());
          }
        } catch (JsonProcessingException e) {
          LOG.debug("a torn line in {}", file, e);
        }
      }
    }
    long at = Files.getLastModifiedTime(file).toMillis();
    for (Event.Start start : open.values()) {
      try {
        server.end(new Event.End(at, start.run(), RunStatus.KILLED), start.experiment());
      } catch (RejectedException e) {
        LOG.debug("the run {} is not there to be ended", start.run(), e);
      }
    }
  }

  private String of(String run) {
    return experiments.getOrDefault(run, experiment);
  }

  /** Which experiments the runs belong to that started in the part already sent. */
  private void remember(Path file, long before) throws IOException {
    try (Stream<String> lines = Files.lines(file)) {
      lines
          .filter(line -> line.startsWith("{\"event\":\"start\""))
          .limit(before)
          .forEach(
              line -> {
                try {
                  if (Spool.JSON.readValue(line, Event.class) instanceof Event.Start start) {
                    experiments.put(start.run(), start.experiment());
                  }
                } catch (IOException e) {
                  LOG.debug("a torn line in {}", file, e);
                }
              });
    }
  }

  private static byte[] read(Path file, long from, long end) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      long upTo = Math.min(end, channel.size());
      int length = (int) Math.min(CHUNK, Math.max(0, upTo - from));
      ByteBuffer buffer = ByteBuffer.allocate(length);
      while (buffer.hasRemaining() && channel.read(buffer, from + buffer.position()) >= 0) {}
      byte[] bytes = new byte[buffer.position()];
      buffer.flip().get(bytes);
      return bytes;
    }
  }

  private static long offset(Path file) throws IOException {
    Path offset = beside(file, ".offset");
    return Files.exists(offset) ? Long.parseLong(Files.readString(offset).strip()) : 0;
  }

  private static Path beside(Path file, String ending) {
    String name = String.valueOf(file.getFileName());
    return file.resolveSibling(name.substring(0, name.length() - ".jsonl".length()) + ending);
  }

  private static void reject(Path file, String line, String reason) throws IOException {
    LOG.warn("the tracking server refuses a record of {}: {}", file.getFileName(), reason);
    Files.writeString(
        beside(file, ".rejected.jsonl"),
        Spool.JSON.writeValueAsString(Map.of("reason", reason, "record", line)) + "\n",
        StandardOpenOption.CREATE,
        StandardOpenOption.APPEND);
  }

  private static void retire(Path file) throws IOException {
    Path sent = Files.createDirectories(file.resolveSibling("sent"));
    Files.move(file, sent.resolve(String.valueOf(file.getFileName())));
    Files.deleteIfExists(beside(file, ".offset"));
    Files.deleteIfExists(beside(file, ".lock"));
    Path kept = beside(file, ".files");
    if (Files.isDirectory(kept)) {
      List<Path> files;
      try (Stream<Path> all = Files.list(kept)) {
        files = all.toList();
      }
      for (Path one : files) {
        Files.delete(one);
      }
      Files.delete(kept);
    }
  }
}
