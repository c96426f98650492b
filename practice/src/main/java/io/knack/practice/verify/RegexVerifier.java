package io.knack.practice.verify;

import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/** Right when a pattern is found in the answer. A pattern that runs away is stopped. */
final class RegexVerifier implements Verifier {
  /** Whether the pattern must be all of the text. */
  enum Mode {
    FIND,
    MATCH
  }

  private final Extract extract;
  private final Mode mode;
  private final Duration timeout;
  private final Pattern pattern;

  RegexVerifier(Options options) {
    extract = options.choice("extract", Extract.WHOLE, Extract.class);
    mode = options.choice("mode", Mode.FIND, Mode.class);
    timeout = options.duration("timeout", Duration.ofMillis(200));
    pattern = compiled(options, options.required("pattern"));
  }

  private static Pattern compiled(Options options, String text) {
    try {
      return Pattern.compile(text);
    } catch (PatternSyntaxException e) {
      options.problem("pattern", text, "a regular expression: " + e.getDescription());
      return Pattern.compile("");
    }
  }

  @Override
  public Verification verify(Check check) {
    long started = System.nanoTime();
    Matcher matcher =
        pattern.matcher(new Timed(extract.of(check.answer()), started + timeout.toNanos()));
    try {
      boolean found = mode == Mode.MATCH ? matcher.matches() : matcher.find();
      return Checked.score(found ? 1 : 0, found ? "matches" : "does not match", started);
    } catch (TooSlow e) {
      return Checked.score(0, "the pattern took more than " + timeout.toMillis() + " ms", started);
    } catch (StackOverflowError e) {
      return Checked.score(0, "the pattern recursed too deeply", started);
    }
  }

  private static final class TooSlow extends RuntimeException {
    private static final long serialVersionUID = 1L;

    TooSlow() {
      super(null, null, false, false);
    }
  }

  /** Characters that look at the clock now and then: the matcher reads every one through here. */
  private static final class Timed implements CharSequence {
    private final CharSequence text;
    private final long deadlineNanos;
    private int reads;

    Timed(CharSequence text, long deadlineNanos) {
      this.text = text;
      this.deadlineNanos = deadlineNanos;
    }

    @Override
    public char charAt(int index) {
      if ((++reads & 0xfff) == 0 && System.nanoTime() - deadlineNanos > 0) {
        throw new TooSlow();
      }
      return text.charAt(index);
    }

    @Override
    public int length() {
      return text.length();
    }

    @Override
    public CharSequence subSequence(int start, int end) {
      return new Timed(text.subSequence(start, end), deadlineNanos);
    }

    @Override
    public String toString() {
      return text.toString();
    }
  }
}
