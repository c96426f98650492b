package io.knack.spark.mine;

import java.io.Serial;
import java.io.Serializable;
import java.nio.charset.StandardCharsets;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * What a cluster's card counts. Mergeable: the statistics of two sets of interactions add up to
 * those of their union, in any order, to the bit; sums are whole numbers, similarities in
 * millionths.
 *
 * <p>Distinct subjects are a sketch of the {@value #SKETCH} least hashes (Bar-Yossef et al., 2002):
 * exact below that, within about 4% above.
 */
final class Statistics implements Serializable {
  @Serial private static final long serialVersionUID = 1L;

  static final int SKETCH = 512;
  private static final int TENANTS = 64;
  private static final double MILLION = 1e6;

  long interactions;
  long attempts;
  long judged;
  long passed;
  long tokens;
  long similarity; // millionths
  long similaritySquares; // millionths
  final TreeMap<Long, Long> days = new TreeMap<>(); // epoch day to interactions
  final TreeSet<Long> subjects = new TreeSet<>();
  final TreeSet<String> tenants = new TreeSet<>();

  void add(SeenRow row, double cosine) {
    interactions++;
    attempts += row.attempts();
    judged += row.judged();
    passed += row.passed();
    tokens += row.tokens();
    similarity += Math.round(cosine * MILLION);
    similaritySquares += Math.round(cosine * cosine * MILLION);
    days.merge(row.day().toEpochDay(), 1L, Long::sum);
    tenants.add(row.owner());
    String subject = row.subject();
    if (subject != null) {
      subjects.add(hash(row.owner() + "\n" + subject));
    }
    trim();
  }

  Statistics merge(Statistics other) {
    interactions += other.interactions;
    attempts += other.attempts;
    judged += other.judged;
    passed += other.passed;
    tokens += other.tokens;
    similarity += other.similarity;
    similaritySquares += other.similaritySquares;
    other.days.forEach((day, count) -> days.merge(day, count, Long::sum));
    subjects.addAll(other.subjects);
    tenants.addAll(other.tenants);
    trim();
    return this;
  }

  private void trim() {
    while (subjects.size() > SKETCH) {
      subjects.pollLast();
    }
    while (tenants.size() > TENANTS) {
      tenants.pollLast();
    }
  }

  long distinctSubjects() {
    if (subjects.size() < SKETCH) {
      return subjects.size();
    }
    double share = (subjects.last() - (double) Long.MIN_VALUE) / 0x1p64;
    return Math.round((SKETCH - 1) / share);
  }

  double meanSimilarity() {
    return interactions == 0 ? 0 : similarity / MILLION / interactions;
  }

  /**
   * Similarity to the centroid below which an interaction is no member: mean less two deviations.
   */
  double floor() {
    double mean = meanSimilarity();
    double variance =
        interactions == 0 ? 0 : similaritySquares / MILLION / interactions - mean * mean;
    return Math.max(0, mean - 2 * Math.sqrt(Math.max(0, variance)));
  }

  LocalDate firstDay() {
    return LocalDate.ofEpochDay(days.isEmpty() ? 0 : days.firstKey());
  }

  LocalDate lastDay() {
    return LocalDate.ofEpochDay(days.isEmpty() ? 0 : days.lastKey());
  }

  /** Interactions a day in the later half of the days less the earlier half. */
  double trend() {
    if (days.isEmpty()) {
      return 0;
    }
    long first = days.firstKey();
    long span = days.lastKey() - first + 1;
    long half = span / 2;
    if (half == 0) {
      return 0;
    }
    long early = 0;
    long late = 0;
    for (Map.Entry<Long, Long> day : days.entrySet()) {
      if (day.getKey() < first + half) {
        early += day.getValue();
      } else if (day.getKey() >= first + span - half) {
        late += day.getValue();
      }
    }
    return (late - early) / (double) half;
  }

  /** Interactions in thirty days at the rate of its days. */
  double perMonth() {
    if (days.isEmpty()) {
      return 0;
    }
    return 30.0 * interactions / (days.lastKey() - days.firstKey() + 1);
  }

  List<Long> dayNumbers() {
    return new ArrayList<>(days.keySet());
  }

  List<Long> dayCounts() {
    return new ArrayList<>(days.values());
  }

  private static long hash(String subject) {
    long h = 0xcbf29ce484222325L;
    for (byte b : subject.getBytes(StandardCharsets.UTF_8)) {
      h = (h ^ b) * 0x100000001b3L;
    }
    h = (h ^ (h >>> 33)) * 0xff51afd7ed558ccdL;
    h = (h ^ (h >>> 33)) * 0xc4ceb9fe1a85ec53L;
    return h ^ (h >>> 33);
  }
}
