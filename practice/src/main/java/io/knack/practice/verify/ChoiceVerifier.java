package io.knack.practice.verify;

import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Right when the answer picks the reference's letter: {@code B}, {@code (b)}, {@code B) text}. */
final class ChoiceVerifier implements Verifier {
  private final Pattern alone;
  private final Pattern anywhere;

  ChoiceVerifier(Options options) {
    String letters = options.text("choices", "ABCDE").toUpperCase(Locale.ROOT);
    if (!letters.matches("[A-Z0-9]{2,36}")) {
      options.problem("choices", letters, "2 to 36 letters or digits, such as ABCD");
      letters = "ABCDE";
    }
    String one = "([" + letters + "])";
    alone =
        Pattern.compile(
            "^\\W*(?:(?:option|choice|answer)\\s+)?\\(?" + one + "(?:[).:,\\s].*|\\W*)$",
            Pattern.CASE_INSENSITIVE | Pattern.DOTALL);
    anywhere = Pattern.compile("(?<![\\w'])\\(?" + one + "\\)?(?![\\w'])");
  }

  @Override
  public Verification verify(Check check) {
    long started = System.nanoTime();
    Optional<String> known =
        check.reference() == null ? Optional.empty() : letter(check.reference());
    if (known.isEmpty()) {
      return Checked.fault("verifier choice needs a letter as reference", started);
    }
    Optional<String> given = letter(check.answer());
    return given.equals(known)
        ? Checked.score(1, "equal", started)
        : Checked.score(0, "found " + given.orElse("no choice"), started);
  }

  private Optional<String> letter(String answer) {
    String conclusion = Extract.CONCLUSION.of(answer);
    String text =
        conclusion.length() <= 4096 ? conclusion : conclusion.substring(conclusion.length() - 4096);
    Matcher whole = alone.matcher(text);
    if (whole.matches() && !startsAsArticle(text)) {
      return Optional.of(whole.group(1).toUpperCase(Locale.ROOT));
    }
    Matcher inside = anywhere.matcher(text);
    Optional<String> last = Optional.empty();
    while (inside.find()) {
      last = Optional.of(inside.group(1).toUpperCase(Locale.ROOT));
    }
    return last;
  }

  /** "A dog" names no choice, "A) dog" and "A" do. */
  private static boolean startsAsArticle(String text) {
    return text.strip().matches("(?is)[ai]\\s+\\w.*");
  }
}
