package io.knack.spark.mine;

import io.knack.contracts.Cluster.Event;
import io.knack.contracts.store.Digests;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Who is who after everything was mined again: groups of tonight matched one to one with groups of
 * the night before by the interactions that they share, largest overlap first. An id belongs to one
 * group for ever; the ids of retired groups are never given again.
 *
 * @param ids of tonight's groups
 * @param retired ids of the night before that no group of tonight carries
 */
record Identity(
    List<String> ids, List<Event> events, List<List<String>> parents, List<String> retired) {
  /** Share of a group's common interactions that makes it a parent. */
  private static final double PARENT = 0.3;

  /** Interactions that a group of the night before and one of tonight share. */
  record Overlap(String before, int now, long count) {}

  /**
   * @param names what a new id is made of, one for each group of tonight; see {@link #fresh}
   * @param used every id that was ever given; new ones are added
   */
  static Identity of(
      String prefix,
      List<String> names,
      List<String> before,
      List<Overlap> overlaps,
      Set<String> used) {
    Map<String, Long> beforeTotal = new HashMap<>();
    Map<Integer, Long> nowTotal = new HashMap<>();
    for (Overlap overlap : overlaps) {
      beforeTotal.merge(overlap.before(), overlap.count(), Long::sum);
      nowTotal.merge(overlap.now(), overlap.count(), Long::sum);
    }
    List<Overlap> sorted = new ArrayList<>(overlaps);
    sorted.sort(
        Comparator.comparingLong((Overlap o) -> -o.count())
            .thenComparing(Overlap::before)
            .thenComparingInt(Overlap::now));
    Map<Integer, String> match = new HashMap<>();
    Set<String> taken = new HashSet<>();
    List<List<String>> parents = new ArrayList<>();
    for (int i = 0; i < names.size(); i++) {
      parents.add(new ArrayList<>());
    }
    for (Overlap overlap : sorted) {
      long ofBefore = beforeTotal.getOrDefault(overlap.before(), 1L);
      long ofNow = nowTotal.getOrDefault(overlap.now(), 1L);
      if (overlap.count() >= PARENT * Math.min(ofBefore, ofNow)) {
        if (overlap.count() >= PARENT * ofBefore || overlap.count() >= PARENT * ofNow) {
          parents.get(overlap.now()).add(overlap.before());
        }
        if (!match.containsKey(overlap.now()) && taken.add(overlap.before())) {
          match.put(overlap.now(), overlap.before());
        }
      }
    }
    List<String> ids = new ArrayList<>();
    List<Event> events = new ArrayList<>();
    for (int i = 0; i < names.size(); i++) {
      String old = match.get(i);
      int from = parents.get(i).size();
      ids.add(old != null ? old : fresh(prefix, names.get(i), used));
      if (from == 0) {
        events.add(Event.BORN);
      } else if (old == null) {
        events.add(Event.SPLIT);
      } else {
        events.add(from > 1 ? Event.MERGED : Event.CONTINUED);
      }
    }
    List<String> retired = before.stream().filter(id -> !taken.contains(id)).sorted().toList();
    return new Identity(ids, events, parents, retired);
  }

  /** An id that was never given: a digest of the name, salted until it is free. */
  static String fresh(String prefix, String name, Set<String> used) {
    for (int salt = 0; ; salt++) {
      String id = prefix + Digests.sha256(name + "\n" + salt).substring(0, 12);
      if (used.add(id)) {
        return id;
      }
    }
  }
}
