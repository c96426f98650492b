package io.knack.trainer;

import io.knack.llm.train.TokenSequence;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/** Cuts the sequences of a step into micro-batches of about equal numbers of tokens. */
final class MicroBatches {
  private MicroBatches() {}

  /**
   * Sequences of one lane and of like length stay together, which leaves the least padding and the
   * fewest pieces.
   *
   * @param maxTokens of a micro-batch, but for a single longer sequence
   * @param workers the number of micro-batches is a multiple of it where there are enough sequences
   */
  static List<List<TokenSequence>> split(
      List<TokenSequence> sequences, int maxTokens, int workers) {
    List<TokenSequence> sorted = new ArrayList<>(sequences);
    sorted.sort(
        Comparator.comparingInt(TokenSequence::adapter).thenComparingInt(TokenSequence::length));
    long total = sorted.stream().mapToLong(TokenSequence::length).sum();
    long wanted = (total + maxTokens - 1) / maxTokens;
    long parts = Math.min(sorted.size(), (wanted + workers - 1) / workers * workers);
    List<List<TokenSequence>> out = new ArrayList<>();
    long seen = 0;
    for (TokenSequence sequence : sorted) {
      // A sequence belongs to the part in which its middle token lies.
      long part = (seen + sequence.length() / 2) * parts / Math.max(1, total);
      while (out.size() <= part) {
        out.add(new ArrayList<>());
      }
      out.get((int) part).add(sequence);
      seen += sequence.length();
    }
    out.removeIf(List::isEmpty);
    return out;
  }
}
