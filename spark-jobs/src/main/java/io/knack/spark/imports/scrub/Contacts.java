package io.knack.spark.imports.scrub;

import com.google.i18n.phonenumbers.PhoneNumberMatch;
import com.google.i18n.phonenumbers.PhoneNumberUtil;
import com.google.i18n.phonenumbers.PhoneNumberUtil.Leniency;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.commons.validator.routines.InetAddressValidator;

/**
 * E-mail and IP addresses, and phone numbers by libphonenumber.
 *
 * <p>A run of digits that happens to be some country's valid number is not enough for a phone
 * number: it has a plus sign, brackets, or dashes or dots between its groups, or a word before it
 * says telephone. So counts and prices survive.
 */
final class Contacts implements Detector {
  private static final Pattern EMAIL =
      Pattern.compile(
          "(?<![\\p{L}\\p{N}._%+-])[\\p{L}\\p{N}](?:[\\p{L}\\p{N}._%+'-]{0,62}[\\p{L}\\p{N}_+-])?@"
              + "(?:[\\p{L}\\p{N}](?:[\\p{L}\\p{N}-]{0,61}[\\p{L}\\p{N}])?\\.){1,8}\\p{L}{2,24}(?![\\p{L}\\p{N}@])");
  private static final Pattern IPV4 =
      Pattern.compile("(?<![\\d.])(?<![vV])\\d{1,3}(?:\\.\\d{1,3}){3}(?!\\d|\\.\\d)");
  private static final Pattern IPV6 =
      Pattern.compile("(?<![:\\w.])(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?![:\\w])");
  private static final Pattern CUE =
      Pattern.compile(
          "(?i)(?:phone|number"
              + " is|telephone|tel|mobile|cell|call|calling|whatsapp|sms|fax|texte?|dial|ring|reach|telefon|handy|móvil|teléfono|téléphone|portable|rückruf|电话|手机|联系|致电)\\P{Nd}{0,24}$");
  private static final Pattern SHORT_AFTER_CUE =
      Pattern.compile("(?<![\\d.,-])\\d{3}[- .]\\d{4}(?![\\d.,-]*\\d)");

  /** Nine to twelve digits that a word calls a telephone number, however they are grouped. */
  private static final Pattern LONG_AFTER_CUE =
      Pattern.compile("(?<![\\d.,+-])\\d(?:[ ./-]?\\d){8,11}(?![.,-]?\\d)");

  private static final Pattern INTERNATIONAL = Pattern.compile("(?<![\\w+])\\+\\d{10,14}(?!\\d)");

  private static final Pattern CHINESE_MOBILE = Pattern.compile("(?<!\\d)1[3-9]\\d{9}(?!\\d)");

  private final List<String> regions;
  private final PhoneNumberUtil phones = PhoneNumberUtil.getInstance();

  Contacts(List<String> regions) {
    this.regions = List.copyOf(regions);
  }

  @Override
  public void find(String text, List<Span> found) {
    if (text.indexOf('@') >= 0) {
      Matcher email = EMAIL.matcher(text);
      while (email.find()) {
        found.add(new Span("EMAIL", email.start(), email.end()));
      }
    }
    ips(text, found);
    if (hasPhoneLikeRun(text)) {
      phones(text, found);
    }
  }

  private static void ips(String text, List<Span> found) {
    InetAddressValidator ips = InetAddressValidator.getInstance();
    Matcher four = IPV4.matcher(text);
    while (four.find()) {
      if (ips.isValidInet4Address(four.group()) && !version(text, four.start())) {
        found.add(new Span("IP", four.start(), four.end()));
      }
    }
    Matcher six = IPV6.matcher(text);
    while (six.find()) {
      long groups =
          Pattern.compile(":+").splitAsStream(six.group()).filter(g -> !g.isEmpty()).count();
      boolean digit = six.group().chars().anyMatch(Character::isDigit);
      if (groups >= 3 && digit && ips.isValidInet6Address(six.group())) {
        found.add(new Span("IP", six.start(), six.end()));
      }
    }
  }

  private static boolean version(String text, int start) {
    String before = text.substring(Math.max(0, start - 12), start).toLowerCase(Locale.ROOT);
    return before.matches(
        "(?s).*\\b(version|ver|release|build|python|chapter|section|kernel|firmware)\\.?:?\\s*");
  }

  private void phones(String text, List<Span> found) {
    for (String region : regions) {
      for (PhoneNumberMatch match : phones.findNumbers(text, region, Leniency.VALID, 200)) {
        if (isPhone(text, match.start(), match.end())) {
          found.add(new Span("PHONE", match.start(), match.end()));
        }
      }
    }
    Matcher international = INTERNATIONAL.matcher(text);
    while (international.find()) {
      found.add(new Span("PHONE", international.start(), international.end()));
    }
    for (Pattern pattern : List.of(SHORT_AFTER_CUE, LONG_AFTER_CUE, CHINESE_MOBILE)) {
      Matcher match = pattern.matcher(text);
      while (match.find()) {
        if (hasCue(text, match.start())) {
          found.add(new Span("PHONE", match.start(), match.end()));
        }
      }
    }
  }

  private static boolean isPhone(String text, int start, int end) {
    String raw = text.substring(start, end);
    boolean marked = raw.startsWith("+") || raw.startsWith("00") || raw.indexOf('(') >= 0;
    boolean grouped = raw.chars().filter(c -> c == '-' || c == '.').count() >= 2;
    if (start > 0 && "$€£¥#".indexOf(text.charAt(start - 1)) >= 0) {
      return false;
    }
    return marked || grouped || hasCue(text, start);
  }

  private static boolean hasCue(String text, int start) {
    return CUE.matcher(text.substring(Math.max(0, start - 40), start)).find();
  }

  /** Seven digits with nothing between them but what stands in phone numbers. */
  private static boolean hasPhoneLikeRun(String text) {
    int digits = 0;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (Character.isDigit(c)) {
        if (++digits >= 7) {
          return true;
        }
      } else if (" -.()+/\u00a0\u2010\u2011\u2013\uff08\uff09\uff0b".indexOf(c) < 0) {
        digits = 0;
      }
    }
    return false;
  }
}
