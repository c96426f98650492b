package io.knack.llm.kernel;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Pattern;

/** What the processor can do. */
public final class Cpu {
  private Cpu() {}

  /**
   * Whether the first processor has a feature, as Linux names it, such as {@code amx_bf16}; false
   * on other systems.
   */
  public static boolean has(String feature) {
    return described(feature);
  }

  /** Whether Intel made it: its library of matrix products is at its best there; as above. */
  public static boolean isIntel() {
    return described("GenuineIntel");
  }

  /**
   * Whether it multiplies and adds in one instruction; without, the JVM does so in software, some
   * hundred times slower. Where no x86 processor is described, it is taken for granted.
   */
  public static boolean fuses() {
    return described("fma") || !described("flags");
  }

  private static boolean described(String word) {
    try {
      String processors = Files.readString(Path.of("/proc/cpuinfo"));
      return Pattern.compile("\\b" + Pattern.quote(word) + "\\b").matcher(processors).find();
    } catch (IOException e) {
      return false;
    }
  }
}
