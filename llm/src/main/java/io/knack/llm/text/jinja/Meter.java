package io.knack.llm.text.jinja;

import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;

/**
 * Counts what a template costs, and stops it at its {@link Limits}.
 *
 * <p>Every loop inside of a filter, method or operator pays here for what it touches, so that the
 * cost of an expression is never more than its steps times a constant: a step stands for an element
 * or for 64 characters. What is made pays a second time, for memory: at the worst all of it stays
 * alive until the end.
 */
final class Meter {
  private static final int CHARACTERS_PER_STEP = 64;

  /** How many of the longest texts one rendering may make in all. */
  private static final int TEXTS = 16;

  /** How many of the longest lists one rendering may make in all. */
  private static final int LISTS = 80;

  private final Limits limits;
  private final LongSupplier nanos;
  private final long deadline;
  private long steps;
  private long madeCharacters;
  private long madeElements;
  private long nextLook = 1024;
  private int depth;

  Meter(Limits limits, LongSupplier nanos) {
    this.limits = limits;
    this.nanos = nanos;
    this.deadline = nanos.getAsLong() + limits.time().toNanos();
  }

  void step() {
    work(1);
  }

  void work(long more) {
    steps += more;
    if (steps > limits.steps()) {
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

  /** For so many characters read, compared or copied. */
  void touch(long characters) {
    work(1 + characters / CHARACTERS_PER_STEP);
  }

  /** To be called before a text of that length is made. */
  void makeText(long characters) {
    checkLength(characters);
    remember(characters);
    touch(characters);
  }

  /** To be called before a list or mapping of that length is made. */
  void makeElements(long elements) {
    checkElements(elements);
    madeElements += 1 + elements;
    if (madeElements > (long) LISTS * limits.elements()) {
      throw TemplateException.limit(
          "more than " + (long) LISTS * limits.elements() + " elements made in all");
    }
    work(1 + elements);
  }

  private void remember(long characters) {
    madeCharacters += characters;
    if (madeCharacters > (long) TEXTS * limits.characters()) {
      throw TemplateException.limit(
          "more than " + (long) TEXTS * limits.characters() + " characters made in all");
    }
  }

  /** Passes a value on that was just made, unless it is too long. */
  <T> T bounded(T value) {
    if (value instanceof String text) {
      makeText(text.length());
    } else if (value instanceof List<?> list) {
      makeElements(list.size());
    } else if (value instanceof Map<?, ?> map) {
      makeElements(map.size());
    }
    return value;
  }

  void checkLength(long characters) {
    if (characters > limits.characters()) {
      throw TemplateException.limit("a text longer than " + limits.characters() + " characters");
    }
  }

  void checkElements(long elements) {
    if (elements > limits.elements()) {
      throw TemplateException.limit("a list longer than " + limits.elements() + " elements");
    }
  }

  /** To be called before a text goes to an output that is so long already. */
  void checkOutput(long written, String text) {
    if (written + text.length() > limits.characters()) {
      throw TemplateException.limit("an output longer than " + limits.characters() + " characters");
    }
    remember(text.length());
    touch(text.length());
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
