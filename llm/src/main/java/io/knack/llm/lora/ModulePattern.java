package io.knack.llm.lora;

import io.knack.contracts.stage.ContractException;
import java.util.regex.Pattern;

/** A regular expression for module paths, as PEFT writes it; it comes from whoever made a file. */
final class ModulePattern {
  /** Characters looked at for one path, at most: some expressions try every way there is. */
  private static final int LOOKS = 1_000_000;

  private final String written;
  private final Pattern pattern;

  /**
   * @param written in Python's syntax, which names its groups otherwise than Java's
   * @throws java.util.regex.PatternSyntaxException when it is no regular expression
   */
  ModulePattern(String written) {
    this.written = written;
    this.pattern =
        Pattern.compile(
            written.replace("(?P<", "(?<").replaceAll("\\(\\?P=(\\w+)\\)", "\\\\k<$1>"));
  }

  /** Whether it fits the whole path. */
  boolean matches(String path) {
    try {
      return pattern.matcher(new Counted(path)).matches();
    } catch (StackOverflowError e) {
      throw tooMuch();
    }
  }

  private ContractException tooMuch() {
    return new ContractException(
        "adapter_config.json: the regular expression '"
            + written
            + "' takes too long to match a module's name; write it without nested repetitions");
  }

  /** A path that ends a search which looks at it too often. */
  private final class Counted implements CharSequence {
    private final String path;
    private int looks;

    Counted(String path) {
      this.path = path;
    }

    @Override
    public int length() {
      return path.length();
    }

    @Override
    public char charAt(int index) {
      if (++looks > LOOKS) {
        throw tooMuch();
      }
      return path.charAt(index);
    }

    @Override
    public CharSequence subSequence(int start, int end) {
      return path.subSequence(start, end);
    }

    @Override
    public String toString() {
      return path;
    }
  }
}
