package io.knack.spark.imports.scrub;

import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.commons.validator.routines.CreditCardValidator;
import org.apache.commons.validator.routines.IBANValidator;
import org.apache.commons.validator.routines.checkdigit.LuhnCheckDigit;

/** Card numbers (an issuer's prefix, its length, Luhn) and IBANs (country's length, modulo 97). */
final class Accounts implements Detector {
  private static final Pattern CARD =
      Pattern.compile(
          "(?<![A-Za-z\\d.,-])(?<!\\d )[2-6]\\d{3}(?:[ -]?\\d){9,15}(?!["
              + " -]?\\d|[A-Za-z])(?![.,]\\d)");
  private static final Pattern IBAN_START =
      Pattern.compile("(?<![A-Za-z0-9])[A-Za-z]{2}\\d{2}(?=[ -]?[A-Za-z0-9])");
  private static final CreditCardValidator CARDS =
      new CreditCardValidator(
          CreditCardValidator.AMEX
              + CreditCardValidator.VISA
              + CreditCardValidator.MASTERCARD
              + CreditCardValidator.DISCOVER
              + CreditCardValidator.DINERS);

  /** Mastercard's second series, JCB and UnionPay, which the validator does not know. */
  private static final Pattern OTHER_ISSUERS =
      Pattern.compile(
          "(?:222[1-9]|22[3-9]\\d|2[3-6]\\d\\d|27[01]\\d|2720|35(?:2[89]|[3-8]\\d)|62\\d\\d)\\d{12}");

  private static final IBANValidator IBANS = IBANValidator.getInstance();

  @Override
  public void find(String text, List<Span> found) {
    Matcher start = IBAN_START.matcher(text);
    while (start.find()) {
      int end = ibanEnd(text, start.start());
      if (end > 0) {
        found.add(new Span("IBAN", start.start(), end));
      }
    }
    Matcher card = CARD.matcher(text);
    while (card.find()) {
      String digits = card.group().replaceAll("[ -]", "");
      if (CARDS.isValid(digits)
          || (OTHER_ISSUERS.matcher(digits).matches()
              && LuhnCheckDigit.LUHN_CHECK_DIGIT.isValid(digits))) {
        found.add(new Span("CARD", card.start(), card.end()));
      }
    }
  }

  /** Walks as many letters and digits as the country's IBANs have; 0 when they are none. */
  private static int ibanEnd(String text, int start) {
    IBANValidator.Validator country =
        IBANS.getValidator(text.substring(start, start + 2).toUpperCase(Locale.ROOT));
    if (country == null) {
      return 0;
    }
    for (int length :
        country.getIbanLength() > 0 ? new int[] {country.getIbanLength()} : new int[0]) {
      StringBuilder compact = new StringBuilder();
      int at = start;
      while (at < text.length() && compact.length() < length) {
        char c = Character.toUpperCase(text.charAt(at));
        if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z')) {
          compact.append(c);
        } else if ((c != ' ' && c != '-')
            || text.charAt(at - 1) == ' '
            || text.charAt(at - 1) == '-') {
          return 0;
        }
        at++;
      }
      boolean ends = at >= text.length() || !Character.isLetterOrDigit(text.charAt(at));
      if (ends && IBANS.isValid(compact.toString())) {
        return at;
      }
    }
    return 0;
  }
}
