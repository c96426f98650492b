package io.knack.practice.features;

import java.util.List;

/** Which of the {@link HashedSpace#BUCKETS} buckets a word or an n-gram falls into. */
final class Buckets {
  private Buckets() {}

  /** The character 3-, 4- and 5-grams of a text over its word boundaries, counted. */
  static Counts grams(List<String> tokens) {
    StringBuilder text = new StringBuilder(" ");
    for (String token : tokens) {
      text.append(token).append(' ');
    }
    int[] buckets = new int[text.length() * 3];
    int next = 0;
    for (int start = 0; start < text.length(); start++) {
      long hash = 0xcbf29ce484222325L;
      for (int length = 1; length <= 5 && start + length <= text.length(); length++) {
        hash = (hash ^ text.charAt(start + length - 1)) * 0x100000001b3L;
        if (length >= 3) {
          buckets[next++] = fold(hash + length);
        }
      }
    }
    return Counts.of(buckets, next);
  }

  /** That of a word. */
  static int of(String word) {
    long hash = 0xcbf29ce484222325L;
    for (int i = 0; i < word.length(); i++) {
      hash = (hash ^ word.charAt(i)) * 0x100000001b3L;
    }
    return fold(hash);
  }

  /** The finaliser of MurmurHash3, folded to a bucket. */
  private static int fold(long hash) {
    long h = hash;
    h = (h ^ (h >>> 33)) * 0xff51afd7ed558ccdL;
    h = (h ^ (h >>> 33)) * 0xc4ceb9fe1a85ec53L;
    return (int) ((h ^ (h >>> 33)) & (HashedSpace.BUCKETS - 1));
  }
}
