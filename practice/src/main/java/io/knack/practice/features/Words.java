package io.knack.practice.features;

import java.text.Normalizer;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * How a text falls into words. Compatibility forms, case, apostrophes and punctuation do not count;
 * every number is the same word; a character of a script without spaces (Han, kana, Hangul, Thai,
 * Lao, Khmer, Myanmar) is a word of its own.
 */
public final class Words {
  /** What every number becomes: numbers say little about which problem it is. */
  public static final String NUMBER = "0";

  private Words() {}

  public static List<String> of(String text) {
    String normal = Normalizer.normalize(text, Normalizer.Form.NFKC).toLowerCase(Locale.ROOT);
    List<String> words = new ArrayList<>();
    StringBuilder word = new StringBuilder();
    boolean number = false;
    for (int i = 0; i < normal.length(); ) {
      int c = normal.codePointAt(i);
      int width = Character.charCount(c);
      if (Character.isDigit(c)) {
        if (!number) {
          flush(word, words);
          words.add(NUMBER);
        }
        number = true;
      } else if (number && isNumberPunctuation(normal, i)) {
        // Inside 1,234.50 the number goes on.
      } else {
        number = false;
        if (standsAlone(c)) {
          flush(word, words);
          words.add(normal.substring(i, i + width));
        } else if (Character.isLetter(c) || isMark(c) || c == '_') {
          word.appendCodePoint(c);
        } else if (c != '\'' && c != '\u2019' && !Character.isIdentifierIgnorable(c)) {
          flush(word, words);
        }
      }
      i += width;
    }
    flush(word, words);
    return words;
  }

  /**
   * What near-duplicates share: the words in order, with a run of numbers counted once. Two texts
   * with one signature are one problem with other numbers, case or punctuation.
   */
  public static String signature(String text) {
    StringBuilder signature = new StringBuilder();
    String last = "";
    for (String word : of(text)) {
      if (word.equals(NUMBER) && last.equals(NUMBER)) {
        continue;
      }
      if (!signature.isEmpty()) {
        signature.append(' ');
      }
      signature.append(word);
      last = word;
    }
    return signature.toString();
  }

  /** True for a letter of a script that is written without spaces. */
  static boolean standsAlone(int codePoint) {
    if (codePoint < 0x0E00 || !Character.isLetter(codePoint)) {
      return false;
    }
    return switch (Character.UnicodeScript.of(codePoint)) {
      case HAN, HIRAGANA, KATAKANA, HANGUL, THAI, LAO, KHMER, MYANMAR -> true;
      default -> false;
    };
  }

  private static boolean isMark(int codePoint) {
    int type = Character.getType(codePoint);
    return type == Character.NON_SPACING_MARK
        || type == Character.COMBINING_SPACING_MARK
        || type == Character.ENCLOSING_MARK;
  }

  private static boolean isNumberPunctuation(String text, int at) {
    char c = text.charAt(at);
    return (c == '.' || c == ',')
        && at + 1 < text.length()
        && Character.isDigit(text.charAt(at + 1));
  }

  private static void flush(StringBuilder word, List<String> words) {
    if (!word.isEmpty()) {
      words.add(word.toString());
      word.setLength(0);
    }
  }
}
