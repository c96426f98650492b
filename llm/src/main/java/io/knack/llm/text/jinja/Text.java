package io.knack.llm.text.jinja;

/** A text being made, which never gets longer than the meter lets it. */
final class Text {
  private final Meter meter;
  private final StringBuilder out = new StringBuilder();

  Text(Meter meter) {
    this.meter = meter;
  }

  Text append(String text) {
    meter.checkLength((long) out.length() + text.length());
    out.append(text);
    return this;
  }

  Text append(String text, int from, int to) {
    meter.checkLength((long) out.length() + to - from);
    out.append(text, from, to);
    return this;
  }

  Text append(char c) {
    meter.checkLength(out.length() + 1L);
    out.append(c);
    return this;
  }

  Text appendCodePoint(int c) {
    meter.checkLength(out.length() + 2L);
    out.appendCodePoint(c);
    return this;
  }

  Text repeat(String text, int times) {
    meter.checkLength(out.length() + (long) text.length() * times);
    out.append(text.repeat(times));
    return this;
  }

  /** What was made so far, paid for. */
  String made() {
    meter.makeText(out.length());
    return out.toString();
  }
}
