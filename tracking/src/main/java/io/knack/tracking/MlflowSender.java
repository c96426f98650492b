package io.knack.tracking;

import com.fasterxml.jackson.core.JsonProcessingException;
import io.knack.contracts.store.DurableFiles;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Carries spools to an MLflow server on a thread of its own: first those that earlier processes
 * left, then its own as it grows. The spool is the queue, so memory is bounded by one batch.
 *
 * <p>How far a spool has been sent stands in {@code NAME.offset}, written behind each batch; after
 * a crash between the two the batch is sent again, which MLflow takes as the same values. What the
 * server refuses for good, and a line that is no record, goes to {@code NAME.rejected.jsonl} with
 * the reason; a spool that cannot be read is left where it is. Neither keeps the rest waiting. A
 * spool that is sent to its end moves to {@code sent/}.
 */
final class MlflowSender implements Forwarding {
  private static final Logger LOG = LoggerFactory.getLogger(MlflowSender.class);
  private static final int CHUNK = 1 << 20;
  private static final int LONGEST_LINE = 1 << 28;

  /** MLflow takes 1,000 entities in a batch, 100 of them parameters and 100 tags. */
  private static final int BATCH = 100;

  private static final Duration FIRST_WAIT = Duration.ofSeconds(1);
  private static final Duration LONGEST_WAIT = Duration.ofMinutes(1);

  /** A file lock keeps processes apart, not the trackers of one. */
  private static final ReentrantLock IN_PROCESS = new ReentrantLock();

  private final Path directory;
  private final Spool spool;
  private final MlflowServer server;
  private final String experiment;
  private final Duration closing;
  private final Thread thread;
  private final Map<String, String> experiments = new HashMap<>();

  /** Older spools whose runs' experiments are known. */
  private final Set<Path> known = new HashSet<>();

  /** Files that a warning was about. */
  private final Set<Path> told = new HashSet<>();

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
    long unread = 0;
    for (Path file : older) {
      try {
        Optional<SpoolLock> mine = SpoolLock.take(file);
        if (mine.isPresent()) {
          sendOlder(file, mine.get());
        }
      } catch (NoSuchFileException e) {
        LOG.debug("{} has just been sent by another process", file, e);
      } catch (FileSystemException e) {
        unread += size(file);
        if (told.add(file)) {
          LOG.warn("tracking cannot read {}: {}; it stays there unsent", file, e.toString());
        }
      }
    }
    left = unread;
    if (spool.size() > 0) {
      ownSent = send(spool.file(), spool.size());
    }
  }

  /** What a process left that is no more. */
  @SuppressWarnings("try") // the lock is held by its scope
  private void sendOlder(Path file, SpoolLock mine) throws IOException {
    try (mine) {
      if (Files.exists(file)) {
        if (known.add(file) && offset(file) > 0) {
          starts(file, start -> experiments.put(start.run(), start.experiment()), end -> {});
        }
        send(file, Long.MAX_VALUE);
        endKilled(file);
        retire(file);
      }
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
              .filter(Files::isRegularFile)
              .sorted()
              .toList();
    }
    left = files.stream().mapToLong(MlflowSender::size).sum();
    return files;
  }

  /** About what is to be sent of a file; 0 when another process has just sent it. */
  private static long size(Path file) {
    return file.toFile().length();
  }

  /** Sends whole lines up to {@code end} and returns the offset behind the last of them. */
  private long send(Path file, long end) throws IOException {
    long at = offset(file);
    int most = CHUNK;
    while (true) {
      byte[] chunk = read(file, at, end, most);
      int stop = 0;
      List<Event> batch = new ArrayList<>();
      List<String> lines = new ArrayList<>();
      for (int i = 0; i < chunk.length; i++) {
        if (chunk[i] != '\n') {
          continue;
        }
        String line = new String(chunk, stop, i - stop, StandardCharsets.UTF_8);
        Optional<Event> event = event(line);
        if (event.isEmpty() || !joins(batch, event.get())) {
          flush(file, batch, lines, at + stop);
        }
        stop = i + 1;
        if (event.isPresent()) {
          batch.add(event.get());
          lines.add(line);
        } else {
          reject(file, line, "it is no record of a run");
          note(file, at + stop);
        }
      }
      flush(file, batch, lines, at + stop);
      at += stop;
      if (stop > 0) {
        most = CHUNK;
      } else if (chunk.length == most && most < LONGEST_LINE) {
        most *= 2;
      } else {
        return at; // The end, or the torn line of a process that was killed.
      }
    }
  }

  private static Optional<Event> event(String line) {
    try {
      return Optional.ofNullable(Spool.JSON.readValue(line, Event.class));
    } catch (JsonProcessingException e) {
      return Optional.empty();
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

  /** Sends a batch, notes that the file is sent up to a place, and empties the batch. */
  private void flush(Path file, List<Event> batch, List<String> lines, long upTo)
      throws IOException {
    if (batch.isEmpty()) {
      return;
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
          reject(file, lines.get(i), "the server refuses it: " + alone.getMessage());
        }
      }
    }
    note(file, upTo);
    batch.clear();
    lines.clear();
  }

  private static void note(Path file, long upTo) throws IOException {
    DurableFiles.replace(Spool.beside(file, ".offset"), Long.toString(upTo));
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
    IN_PROCESS.lock();
    try (FileChannel channel =
            FileChannel.open(
                directory.resolve("shared.lock"),
                StandardOpenOption.CREATE,
                StandardOpenOption.WRITE);
        FileLock mine = channel.lock()) {
      if (mine.isValid()) {
        server.start(start);
      }
    } finally {
      IN_PROCESS.unlock();
    }
  }

  /** A process that died ended no run: what it left open was killed. */
  private void endKilled(Path file) throws IOException {
    Map<String, Event.Start> open = new LinkedHashMap<>();
    starts(file, start -> open.put(start.run(), start), end -> open.remove(end.run()));
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

  /** The runs that start and end in a spool, whatever else is in it. */
  private static void starts(Path file, Consumer<Event.Start> begins, Consumer<Event.End> ends)
      throws IOException {
    try (BufferedReader lines =
        new BufferedReader(
            new InputStreamReader(Files.newInputStream(file), StandardCharsets.UTF_8))) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        if (line.startsWith("{\"event\":\"start\"") || line.startsWith("{\"event\":\"end\"")) {
          Event event = event(line).orElse(null);
          if (event instanceof Event.Start start) {
            begins.accept(start);
          } else if (event instanceof Event.End end) {
            ends.accept(end);
          }
        }
      }
    }
  }

  private static byte[] read(Path file, long from, long end, int most) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      long upTo = Math.min(end, channel.size());
      int length = (int) Math.min(most, Math.max(0, upTo - from));
      ByteBuffer buffer = ByteBuffer.allocate(length);
      while (buffer.hasRemaining() && channel.read(buffer, from + buffer.position()) >= 0) {}
      byte[] bytes = new byte[buffer.position()];
      buffer.flip().get(bytes);
      return bytes;
    }
  }

  /** Where an offset tells nothing, the file is sent anew: MLflow takes it as the same values. */
  private long offset(Path file) throws IOException {
    Path offset = Spool.beside(file, ".offset");
    if (!Files.exists(offset)) {
      return 0;
    }
    String found = new String(Files.readAllBytes(offset), StandardCharsets.UTF_8).strip();
    try {
      long at = Long.parseLong(found);
      if (at >= 0 && at <= Files.size(file)) {
        return at;
      }
    } catch (NumberFormatException e) {
      // As one that is out of the file.
    }
    if (told.add(offset)) {
      LOG.warn(
          "tracking: {} holds '{}', expected a place in {}; that file is sent anew",
          offset,
          found,
          file.getFileName());
    }
    return 0;
  }

  private void reject(Path file, String line, String reason) throws IOException {
    Path rejected = Spool.beside(file, ".rejected.jsonl");
    if (told.add(rejected)) {
      LOG.warn(
          "tracking cannot send a record of {}: {}; it is kept in {}, as any more of them will be",
          file.getFileName(),
          reason,
          rejected);
    }
    Files.writeString(
        rejected,
        Spool.JSON.writeValueAsString(Map.of("reason", reason, "record", line)) + "\n",
        StandardOpenOption.CREATE,
        StandardOpenOption.APPEND);
  }

  private static void retire(Path file) throws IOException {
    Path sent = Files.createDirectories(file.resolveSibling("sent"));
    Files.move(file, sent.resolve(String.valueOf(file.getFileName())));
    Files.deleteIfExists(Spool.beside(file, ".offset"));
    Files.deleteIfExists(Spool.beside(file, ".lock"));
    Path kept = Spool.beside(file, ".files");
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
