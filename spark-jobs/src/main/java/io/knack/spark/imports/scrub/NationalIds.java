package io.knack.spark.imports.scrub;

import java.util.List;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * National identity, tax and insurance numbers whose form or check digits tell them apart from
 * other numbers: a bare number without either is left alone, or word problems would lose theirs.
 */
final class NationalIds implements Detector {
  private record Kind(Pattern form, Predicate<String> valid) {}

  private static final List<Kind> KINDS =
      List.of(
          // United States, social security: area, group and serial are never zero.
          kind("(?<![\\d-])(?!000|666|9)\\d{3}-(?!00)\\d{2}-(?!0000)\\d{4}(?![\\d-])", any -> true),
          // United Kingdom, national insurance.
          kind(
              "(?<![A-Z0-9])(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\\d{2}"
                  + " ?\\d{2} ?\\d{2} ?[A-D](?![A-Z0-9])",
              any -> true),
          // Spain, DNI and NIE: the letter is the number modulo 23.
          kind("(?<![A-Z0-9])(?:\\d{8}|[XYZ]\\d{7})-?[A-Z](?![A-Z0-9])", NationalIds::spanish),
          // Italy, codice fiscale.
          kind(
              "(?<![A-Z0-9])[A-Z]{6}\\d{2}[ABCDEHLMPRST]\\d{2}[A-Z]\\d{3}[A-Z](?![A-Z0-9])",
              any -> true),
          // France, social security: two check digits, modulo 97.
          kind(
              "(?<!\\d)[12] ?\\d{2} ?(?:0[1-9]|1[0-2]|[2-9]\\d) ?(?:\\d{2}|2[AB]) ?\\d{3} ?\\d{3}"
                  + " ?\\d{2}(?!\\d)",
              NationalIds::french),
          // China, resident identity: date of birth and ISO 7064 check.
          kind(
              "(?<![\\dA-Za-z])[1-9]\\d{5}(?:19|20)\\d{2}(?:0[1-9]|1[0-2])(?:[0-2]\\d|3[01])\\d{3}[\\dXx](?![\\dA-Za-z])",
              NationalIds::chinese),
          // India, Aadhaar, written in groups: Verhoeff check.
          kind("(?<!\\d[ -]?)[2-9]\\d{3}[ -]\\d{4}[ -]\\d{4}(?![ -]?\\d)", NationalIds::verhoeff),
          // Brazil, CPF, with its punctuation.
          kind("(?<!\\d)\\d{3}\\.\\d{3}\\.\\d{3}-\\d{2}(?!\\d)", NationalIds::brazilian));

  private static Kind kind(String form, Predicate<String> valid) {
    return new Kind(Pattern.compile(form), valid);
  }

  /** Numbers without a check that are named as what they are. */
  private static final Pattern NAMED =
      Pattern.compile(
          "(?i)(?<![a-z])(?:ssn|social security(?: number| no\\.?)?|my"
              + " social|pesel|bsn|personnummer|cpf|aadhaar|steuer-?id|tax id|nino|passport(?:"
              + " number| no\\.?)?)\\W{0,3}(?:is|é|es|ist|no|number)?\\W{0,3}(\\d(?:["
              + " -]?\\d){7,12})(?!\\d)");

  @Override
  public void find(String text, List<Span> found) {
    Matcher named = NAMED.matcher(text);
    while (named.find()) {
      found.add(new Span("NATIONAL_ID", named.start(1), named.end(1)));
    }
    for (Kind kind : KINDS) {
      Matcher match = kind.form().matcher(text);
      while (match.find()) {
        if (kind.valid().test(match.group())) {
          found.add(new Span("NATIONAL_ID", match.start(), match.end()));
        }
      }
    }
  }

  private static boolean spanish(String id) {
    String plain = id.replace("-", "");
    String digits =
        plain
            .substring(0, plain.length() - 1)
            .replace('X', '0')
            .replace('Y', '1')
            .replace('Z', '2');
    return "TRWAGMYFPDXBNJZSQVHLCKE".charAt(Integer.parseInt(digits) % 23)
        == plain.charAt(plain.length() - 1);
  }

  private static boolean french(String id) {
    String plain = id.replace(" ", "").replace("2A", "19").replace("2B", "18");
    if (plain.length() != 15) {
      return false;
    }
    long number = Long.parseLong(plain.substring(0, 13));
    return 97 - number % 97 == Long.parseLong(plain.substring(13));
  }

  private static boolean chinese(String id) {
    int[] weights = {7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2};
    int sum = 0;
    for (int i = 0; i < 17; i++) {
      sum += (id.charAt(i) - '0') * weights[i];
    }
    return "10X98765432".charAt(sum % 11) == Character.toUpperCase(id.charAt(17));
  }

  private static boolean brazilian(String id) {
    String d = id.replaceAll("\\D", "");
    if (d.chars().distinct().count() == 1) {
      return false;
    }
    for (int length = 9; length <= 10; length++) {
      int sum = 0;
      for (int i = 0; i < length; i++) {
        sum += (d.charAt(i) - '0') * (length + 1 - i);
      }
      if (sum * 10 % 11 % 10 != d.charAt(length) - '0') {
        return false;
      }
    }
    return true;
  }

  private static final int[][] MULTIPLY = new int[10][10];
  private static final int[][] PERMUTE = new int[8][10];

  static { // the dihedral group of order ten
    int[] first = {1, 5, 7, 6, 2, 8, 3, 0, 9, 4};
    for (int i = 0; i < 10; i++) {
      PERMUTE[0][i] = i;
      for (int j = 0; j < 10; j++) {
        MULTIPLY[i][j] =
            i < 5
                ? (j < 5 ? (i + j) % 5 : 5 + (i + j) % 5)
                : (j < 5 ? 5 + (i - j) % 5 : Math.floorMod(i - j, 5));
      }
    }
    for (int row = 1; row < 8; row++) {
      for (int i = 0; i < 10; i++) {
        PERMUTE[row][i] = PERMUTE[row - 1][first[i]];
      }
    }
  }

  private static boolean verhoeff(String id) {
    String digits = id.replaceAll("\\D", "");
    int check = 0;
    for (int i = 0; i < digits.length(); i++) {
      check = MULTIPLY[check][PERMUTE[i % 8][digits.charAt(digits.length() - 1 - i) - '0']];
    }
    return check == 0;
  }
}
