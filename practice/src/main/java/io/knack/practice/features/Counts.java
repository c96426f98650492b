package io.knack.practice.features;

import java.util.Arrays;

/** The buckets that occur, ascending, and how often each does. */
final class Counts {
  private static final int BYTE = 1 << 8;

  final int[] keys;
  final int[] counts;

  private Counts(int[] keys, int[] counts) {
    this.keys = keys;
    this.counts = counts;
  }

  /** Of the first n buckets. */
  static Counts of(int[] buckets, int n) {
    int[] sorted = byByte(byByte(buckets, n, 0), n, 8);
    int[] counts = new int[n];
    int size = 0;
    for (int i = 0; i < n; i++) {
      if (size == 0 || sorted[size - 1] != sorted[i]) {
        sorted[size++] = sorted[i];
      }
      counts[size - 1]++;
    }
    return new Counts(Arrays.copyOf(sorted, size), Arrays.copyOf(counts, size));
  }

  /** One pass of a radix sort: stable, by the byte that begins at a bit. */
  private static int[] byByte(int[] buckets, int n, int bit) {
    int[] starts = new int[BYTE + 1];
    for (int i = 0; i < n; i++) {
      starts[(buckets[i] >>> bit & BYTE - 1) + 1]++;
    }
    for (int b = 0; b < BYTE; b++) {
      starts[b + 1] += starts[b];
    }
    int[] sorted = new int[n];
    for (int i = 0; i < n; i++) {
      sorted[starts[buckets[i] >>> bit & BYTE - 1]++] = buckets[i];
    }
    return sorted;
  }
}
