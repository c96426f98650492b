package io.knack.consolidation.draft;

import java.text.Normalizer;
import java.util.regex.Pattern;

/** Text as it is meant: without what makes a word look like another one to a pattern. */
final class Disguise {
  /** Cyrillic and Greek letters that look like Latin ones, and these. */
  private static final String ALIKE =
      "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0455\u0458\u0501\u04cf\u03bf\u03b1\u03b9"
          + "\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0425\u0406\u0405\u0408";

  private static final String LATIN = "aeopcyxisjdloaiABEKMHOPCTXISJ";

  private static final Pattern MARKS = Pattern.compile("\\p{M}+");

  /** Letters one by one, as in "i g n o r e". */
  private static final Pattern SPACED =
      Pattern.compile("(?<![\\p{L}\\p{N}])\\p{L}(?:[ ._*-]\\p{L}){4,}(?![\\p{L}\\p{N}])");

  private static final Pattern SPACING = Pattern.compile("[ ._*-]");

  private Disguise() {}

  /** Look-alikes folded, accents and invisible characters dropped, spaced-out letters joined. */
  static String lift(String text) {
    String latin = ascii(text) ? text : fold(text);
    return spacedOut(latin)
        ? SPACED.matcher(latin).replaceAll(spaced -> SPACING.matcher(spaced.group()).replaceAll(""))
        : latin;
  }

  /** Whether there may be such letters: four times one character between two letters. */
  private static boolean spacedOut(String text) {
    for (int parity = 1; parity <= 2; parity++) {
      int run = 0;
      for (int i = parity; i + 1 < text.length(); i += 2) {
        run = spaced(text, i) ? run + 1 : 0;
        if (run == 4) {
          return true;
        }
      }
    }
    return false;
  }

  private static boolean spaced(String text, int at) {
    return " ._*-".indexOf(text.charAt(at)) >= 0
        && Character.isLetter(text.charAt(at - 1))
        && Character.isLetter(text.charAt(at + 1));
  }

  private static String fold(String text) {
    String folded = MARKS.matcher(Normalizer.normalize(text, Normalizer.Form.NFKD)).replaceAll("");
    StringBuilder latin = new StringBuilder(folded.length());
    for (int i = 0; i < folded.length(); i++) {
      char c = folded.charAt(i);
      if (Character.getType(c) == Character.FORMAT) {
        continue;
      }
      int at = c < 0x370 ? -1 : ALIKE.indexOf(c);
      latin.append(at < 0 ? c : LATIN.charAt(at));
    }
    return latin.toString();
  }

  private static boolean ascii(String text) {
    for (int i = 0; i < text.length(); i++) {
      if (text.charAt(i) >= 0x80) {
        return false;
      }
    }
    return true;
  }
}
