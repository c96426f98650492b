package io.knack.llm.text.jinja;

import java.util.List;
import java.util.function.LongSupplier;

/** Counts what a template costs, and stops it at its {@link Limits}. */
final class Meter {
  private final Limits limits;
  private final LongSupplier nanos;
  private final long deadline;
  private long steps;
  private long nextLook = 1024;
  private int depth;

  Meter(Limits limits, LongSupplier nanos) {
    this.limits = limits;
    this.nanos = nanos;
    this.deadline = nanos.getAsLong() + limits.time().toNanos();
  }

  void step() {
    if (++steps > limits.steps()) {
      throw TemplateException.limit("more than " + limits.steps() + " steps");
    }
    if (steps >= nextLook) {
      nextLook = steps + 1024;
      look();
    }
  }

  private void look() {
    if (nanos.getAsLong() - deadline > 0) {
      throw TemplateException.limit("longer than " + limits.time().toMillis() + " ms");
    }
  }

  /** Passes a value on unless it is too long. Long values cost time, so that they cost steps. */
  <T> T bounded(T value) {
    if (value instanceof String text) {
      checkLength(text.length());
      steps += text.length() >> 6;
    } else if (value instanceof List<?> list) {
      checkElements(list.size());
      steps += list.size() >> 2;
    }
    return value;
  }

  /** To be called before a string of that length is made. */
  void checkLength(long characters) {
    if (characters > limits.characters()) {
      throw TemplateException.limit("a text longer than " + limits.characters() + " characters");
    }
  }

  /** To be called before a list of that length is made. */
  void checkElements(long elements) {
    if (elements > limits.elements()) {
      throw TemplateException.limit("a list longer than " + limits.elements() + " elements");
    }
  }

  /** To be called before a text goes to an output that is so long already. */
  void checkOutput(long written, String text) {
    steps += text.length() >> 6;
    if (written + text.length() > limits.characters()) {
      throw TemplateException.limit("an output longer than " + limits.characters() + " characters");
    }
  }

  void enter() {
    if (++depth > limits.depth()) {
      throw TemplateException.limit("calls nested deeper than " + limits.depth() + " levels");
    }
  }

  void leave() {
    depth--;
  }
}
