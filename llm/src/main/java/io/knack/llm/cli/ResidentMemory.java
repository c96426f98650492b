package io.knack.llm.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Memory that this process has resident. */
public final class ResidentMemory {
  private ResidentMemory() {}

  /** The most so far, in bytes; 0 where the system does not say (not Linux). */
  public static long peakBytes() {
    return field("VmHWM:");
  }

  /** Now, in bytes; 0 where the system does not say. */
  public static long bytes() {
    return field("VmRSS:");
  }

  /** Starts the maximum anew, where the system allows it. */
  static void forgetPeak() {
    try {
      Files.writeString(Path.of("/proc/self/clear_refs"), "5");
    } catch (IOException e) {
      // The maximum stays the one since the start: too high at worst.
    }
  }

  private static long field(String name) {
    try {
      for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
        if (line.startsWith(name)) {
          return Long.parseLong(line.replaceAll("\\D", "")) * 1024;
        }
      }
    } catch (IOException e) {
      // Not Linux: there is no figure.
    }
    return 0;
  }
}
