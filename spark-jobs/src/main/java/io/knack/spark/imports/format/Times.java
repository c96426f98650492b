package io.knack.spark.imports.format;

import com.fasterxml.jackson.databind.JsonNode;
import java.math.BigDecimal;
import java.time.DateTimeException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import org.jspecify.annotations.Nullable;

/** Times as logs write them: ISO 8601, or epoch numbers whose unit shows in their size. */
final class Times {
  private static final Instant EARLIEST = Instant.parse("1990-01-01T00:00:00Z");
  private static final Instant LATEST = Instant.parse("2200-01-01T00:00:00Z");

  private Times() {}

  /** Null for a missing or empty value. */
  static @Nullable Instant of(@Nullable JsonNode value) throws Unreadable {
    if (value == null || value.isNull() || value.isMissingNode()) {
      return null;
    }
    if (value.isNumber()) {
      return plausible(epoch(value.decimalValue()));
    }
    return value.isTextual() ? of(value.textValue()) : refuse();
  }

  static @Nullable Instant of(String text) throws Unreadable {
    String trimmed = text.strip();
    if (trimmed.isEmpty()) {
      return null;
    }
    if (trimmed.matches("-?\\d{1,25}(\\.\\d{1,12})?")) {
      return plausible(epoch(new BigDecimal(trimmed)));
    }
    String iso =
        trimmed.replaceFirst("^(\\d{4}-\\d{2}-\\d{2}) (?=\\d)", "$1T").replace(" UTC", "Z");
    try {
      if (iso.length() == 10) {
        return plausible(LocalDate.parse(iso).atStartOfDay(ZoneOffset.UTC).toInstant());
      }
      if (iso.matches(".*([zZ]|[+-]\\d{2}(:?\\d{2})?)$") && iso.indexOf('T') > 0) {
        String zoned =
            iso.replaceFirst("([+-]\\d{2})$", "$1:00")
                .replaceFirst("([+-]\\d{2})(\\d{2})$", "$1:$2");
        return plausible(OffsetDateTime.parse(zoned).toInstant());
      }
      return plausible(LocalDateTime.parse(iso).toInstant(ZoneOffset.UTC));
    } catch (DateTimeException e) {
      return refuse();
    }
  }

  /** Seconds below 10^11, then milli-, micro- and nanoseconds. */
  private static Instant epoch(BigDecimal number) throws Unreadable {
    double size = Math.abs(number.doubleValue());
    int shift = size < 1e11 ? 0 : size < 1e14 ? 3 : size < 1e17 ? 6 : 9;
    BigDecimal seconds = number.movePointLeft(shift);
    if (seconds.abs().doubleValue() > 1e11) {
      return refuse();
    }
    long micros = seconds.movePointRight(6).longValue();
    return Instant.EPOCH.plus(micros, ChronoUnit.MICROS);
  }

  private static Instant plausible(Instant time) throws Unreadable {
    if (time.isBefore(EARLIEST) || time.isAfter(LATEST)) {
      throw new Unreadable("time outside 1990 to 2200");
    }
    return time.truncatedTo(ChronoUnit.MICROS);
  }

  private static Instant refuse() throws Unreadable {
    throw new Unreadable("time is neither ISO 8601 nor an epoch number");
  }
}
