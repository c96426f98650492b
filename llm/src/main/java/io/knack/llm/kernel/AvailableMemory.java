package io.knack.llm.kernel;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalLong;

/**
 * Main memory that may still be taken: what the kernel takes for available, and no more than a
 * container's limit leaves (proc(5), and the memory controllers of cgroups version 2 and 1).
 */
public final class AvailableMemory {
  private AvailableMemory() {}

  /** In bytes; {@link Long#MAX_VALUE} where the system does not say. */
  public static long bytes() {
    return below(Path.of("/"));
  }

  static long below(Path root) {
    long free = number(root.resolve("proc/meminfo"), "MemAvailable:", 1024).orElse(Long.MAX_VALUE);
    Path group = root.resolve("sys/fs/cgroup");
    Path first = group.resolve("memory");
    free = Math.min(free, left(group, "memory.max", "memory.current", "inactive_file "));
    return Math.min(
        free,
        left(first, "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file "));
  }

  /** Files that were read and are not in use count as used, and go when others want the memory. */
  private static long left(Path group, String limitFile, String usedFile, String idle) {
    OptionalLong limit = number(group.resolve(limitFile), "", 1);
    OptionalLong used = number(group.resolve(usedFile), "", 1);
    if (limit.isEmpty() || used.isEmpty()) {
      return Long.MAX_VALUE;
    }
    long files = number(group.resolve("memory.stat"), idle, 1).orElse(0);
    return Math.max(0, limit.getAsLong() - Math.max(0, used.getAsLong() - files));
  }

  private static OptionalLong number(Path file, String start, long unit) {
    try {
      for (String line : Files.readAllLines(file)) {
        String digits = line.replaceAll("\\D", "");
        if (line.startsWith(start) && !digits.isEmpty()) {
          return OptionalLong.of(Math.multiplyExact(Long.parseLong(digits), unit));
        }
      }
    } catch (IOException | NumberFormatException | ArithmeticException e) {
      // Another system, another version, or no limit.
    }
    return OptionalLong.empty();
  }
}
