package io.knack.practice.verify;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;

/**
 * How a user's command is started and bounded: its own process, without a shell, with an
 * environment that holds nothing of ours but the search path, locale and temporary directory, so
 * that no key leaks into code that a model wrote.
 *
 * @param memoryBytes resident, of the process and its children together; 0 for no limit
 */
record CommandProcess(
    List<String> command, Path directory, Duration timeout, long memoryBytes, int workers) {
  static final int MAX_OUTPUT = 1 << 20;

  /** In the environment of every process that a start brings about, to find them all again. */
  private static final String MARK = "KNACK_VERIFIER";

  private static final String OURS = UUID.randomUUID().toString();
  private static final AtomicLong STARTS = new AtomicLong();

  CommandProcess {
    command = List.copyOf(command);
  }

  /**
   * A command under way, and the mark that it and all it starts carry. Compared by identity: each
   * start is another one.
   */
  static final class Started {
    private final Process process;
    private final String mark;

    private Started(Process process, String mark) {
      this.process = process;
      this.mark = mark;
    }

    Process process() {
      return process;
    }

    /** Ends it and what it started, also what has left it for a life of its own. */
    void kill() {
      List<ProcessHandle> children;
      try (Stream<ProcessHandle> descendants = process.descendants()) {
        children = descendants.toList();
      }
      process.destroyForcibly();
      children.forEach(ProcessHandle::destroyForcibly);
      marked().forEach(ProcessHandle::destroyForcibly);
    }

    /** Those of our user that carry the mark; none where the system does not tell. */
    private List<ProcessHandle> marked() {
      String wanted = MARK + "=" + mark + "\0";
      List<ProcessHandle> found = new ArrayList<>();
      try (Stream<ProcessHandle> all = ProcessHandle.allProcesses()) {
        for (ProcessHandle handle : (Iterable<ProcessHandle>) all::iterator) {
          try {
            Path environment = Path.of("/proc/" + handle.pid() + "/environ");
            String text = Files.readString(environment, StandardCharsets.ISO_8859_1) + "\0";
            if (text.contains(wanted)) {
              found.add(handle);
            }
          } catch (IOException e) {
            // Another user's, or gone.
          }
        }
      }
      return found;
    }
  }

  Started start() throws IOException {
    ProcessBuilder builder = new ProcessBuilder(command).directory(directory.toFile());
    Map<String, String> environment = builder.environment();
    Map<String, String> ours = Map.copyOf(environment);
    environment.clear();
    for (String name : List.of("PATH", "LANG", "LC_ALL", "TZ", "TMPDIR", "JAVA_HOME", "HOME")) {
      String value = ours.get(name);
      if (value != null) {
        environment.put(name, value);
      }
    }
    String mark = OURS + "-" + STARTS.incrementAndGet();
    environment.put(MARK, mark);
    return new Started(builder.start(), mark);
  }

  boolean overMemory(Process process) {
    return memoryBytes > 0 && residentBytes(process) > memoryBytes;
  }

  /** Of the process and its descendants; 0 where the system does not tell. */
  private static long residentBytes(Process process) {
    List<Long> ids = new ArrayList<>(List.of(process.pid()));
    try (Stream<ProcessHandle> descendants = process.descendants()) {
      descendants.forEach(child -> ids.add(child.pid()));
    }
    long pages = 0;
    for (long id : ids) {
      try {
        String statm = Files.readString(Path.of("/proc/" + id + "/statm"));
        pages += residentPages(statm);
      } catch (IOException | IndexOutOfBoundsException | NumberFormatException e) {
        // It ended between the listing and the reading.
      }
    }
    return pages * 4096;
  }

  /** The second number of a statm line. */
  private static long residentPages(String statm) {
    int from = statm.indexOf(' ') + 1;
    return Long.parseLong(statm.substring(from, statm.indexOf(' ', from)));
  }

  static boolean memoryIsVisible() {
    return new File("/proc/self/statm").canRead();
  }
}
