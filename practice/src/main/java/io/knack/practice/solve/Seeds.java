package io.knack.practice.solve;

/** Independent seeds from one. */
public final class Seeds {
  private Seeds() {}

  /**
   * The seed of the {@code index}-th draw of a task; SplitMix64 (Steele, Lea and Flood, "Fast
   * splittable pseudorandom number generators", 2014), so that neighbouring seeds and indices have
   * nothing in common.
   */
  public static long of(long seed, long index) {
    return scramble(scramble(seed) + (index + 1) * 0x9e3779b97f4a7c15L);
  }

  private static long scramble(long value) {
    long z = value + 0x9e3779b97f4a7c15L;
    z = (z ^ (z >>> 30)) * 0xbf58476d1ce4e5b9L;
    z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
    return z ^ (z >>> 31);
  }
}
