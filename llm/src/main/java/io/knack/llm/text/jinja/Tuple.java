package io.knack.llm.text.jinja;

import java.util.AbstractList;
import java.util.List;

/**
 * A list that prints in parentheses and may be a mapping's key.
 *
 * <p>Its order means nothing to a template: it is what keeps a mapping fast where all keys have the
 * same hash.
 */
final class Tuple extends AbstractList<Object> implements Comparable<Tuple> {
  private final List<Object> elements;

  Tuple(List<Object> elements) {
    this.elements = List.copyOf(elements);
  }

  static Tuple of(Object... elements) {
    return new Tuple(List.of(elements));
  }

  @Override
  public Object get(int index) {
    return elements.get(index);
  }

  @Override
  public int size() {
    return elements.size();
  }

  @Override
  public int compareTo(Tuple other) {
    int order = Integer.compare(size(), other.size());
    for (int i = 0; order == 0 && i < size(); i++) {
      order = order(get(i), other.get(i));
    }
    return order;
  }

  private static int order(Object left, Object right) {
    if (left instanceof String a && right instanceof String b) {
      return a.compareTo(b);
    } else if (left instanceof Long a && right instanceof Long b) {
      return a.compareTo(b);
    } else if (left instanceof Double a && right instanceof Double b) {
      return a.compareTo(b);
    } else if (left instanceof Tuple a && right instanceof Tuple b) {
      return a.compareTo(b);
    }
    return left.getClass().getName().compareTo(right.getClass().getName());
  }
}
