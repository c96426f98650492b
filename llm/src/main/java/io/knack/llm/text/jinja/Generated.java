package io.knack.llm.text.jinja;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;

/**
 * What lazy filters give in Python: true when tested, walked once, with neither length nor text.
 */
final class Generated {
  private final Iterator<Object> elements;

  Generated(List<Object> elements) {
    this.elements = elements.iterator();
  }

  /** All that is left; nothing is, from then on. */
  List<Object> rest() {
    List<Object> rest = new ArrayList<>();
    elements.forEachRemaining(rest::add);
    return rest;
  }

  /** The next element; undefined at the end. */
  Object next() {
    return elements.hasNext()
        ? elements.next()
        : new Undefined("there is no first or last element of nothing");
  }
}
