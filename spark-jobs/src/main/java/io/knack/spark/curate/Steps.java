package io.knack.spark.curate;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/** Counts in and out, in the order in which they were taken. */
final class Steps {
  private final List<Curriculum.Step> taken = new ArrayList<>();

  /**
   * @param why what was left behind
   * @return {@code out}
   */
  <T, C extends Collection<T>> C took(String name, Collection<?> in, C out, String why) {
    took(name, in.size(), out.size(), why);
    return out;
  }

  void took(String name, long in, long out, String why) {
    taken.add(new Curriculum.Step(name, in, out, why));
  }

  List<Curriculum.Step> taken() {
    return List.copyOf(taken);
  }
}
