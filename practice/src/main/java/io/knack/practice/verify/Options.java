package io.knack.practice.verify;

import io.knack.contracts.VerifierSpec;
import io.knack.contracts.stage.PlanException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Reads the options of a spec and gathers everything that is wrong with them. */
final class Options {
  private static final Pattern AMOUNT = Pattern.compile("(\\d{1,12})\\s*([a-zA-Z]*)");

  private final VerifierSpec spec;
  private final Set<String> known = new TreeSet<>();
  private final List<String> problems = new ArrayList<>();

  Options(VerifierSpec spec) {
    this.spec = spec;
  }

  String text(String name, String fallback) {
    known.add(name);
    return spec.options().getOrDefault(name, fallback);
  }

  @Nullable String optional(String name) {
    known.add(name);
    return spec.options().get(name);
  }

  String required(String name) {
    String value = optional(name);
    if (value == null) {
      problem(name, "nothing", "a value");
      return "";
    }
    return value;
  }

  boolean flag(String name, boolean fallback) {
    String value = text(name, Boolean.toString(fallback));
    if (!value.equals("true") && !value.equals("false")) {
      problem(name, value, "true or false");
    }
    return value.equals("true");
  }

  double number(String name, double fallback, double min, double max) {
    String value = text(name, Double.toString(fallback));
    try {
      double number = Double.parseDouble(value);
      if (number >= min && number <= max) {
        return number;
      }
    } catch (NumberFormatException e) {
      // Reported below with the range.
    }
    problem(name, value, "a number from " + min + " to " + max);
    return fallback;
  }

  int count(String name, int fallback, int min, int max) {
    return (int) number(name, fallback, min, max);
  }

  <E extends Enum<E>> E choice(String name, E fallback, Class<E> type) {
    String value = text(name, fallback.name().toLowerCase(Locale.ROOT));
    for (E constant : type.getEnumConstants()) {
      if (constant.name().toLowerCase(Locale.ROOT).equals(value)) {
        return constant;
      }
    }
    List<String> names = new ArrayList<>();
    for (E constant : type.getEnumConstants()) {
      names.add(constant.name().toLowerCase(Locale.ROOT));
    }
    problem(name, value, "one of " + String.join(", ", names));
    return fallback;
  }

  Duration duration(String name, Duration fallback) {
    String value = optional(name);
    if (value == null) {
      return fallback;
    }
    Matcher matcher = AMOUNT.matcher(value.strip());
    if (matcher.matches()) {
      long amount = Long.parseLong(matcher.group(1));
      Duration unit =
          switch (matcher.group(2)) {
            case "ms" -> Duration.ofMillis(1);
            case "", "s" -> Duration.ofSeconds(1);
            case "m" -> Duration.ofMinutes(1);
            default -> Duration.ZERO;
          };
      if (amount > 0 && amount < 1_000_000 && !unit.isZero()) {
        return unit.multipliedBy(amount);
      }
    }
    problem(name, value, "a duration such as 500ms, 10s or 2m");
    return fallback;
  }

  long bytes(String name, long fallback) {
    String value = optional(name);
    if (value == null) {
      return fallback;
    }
    Matcher matcher = AMOUNT.matcher(value.strip());
    if (matcher.matches()) {
      int shift = "bkmg".indexOf(matcher.group(2).toLowerCase(Locale.ROOT)) * 10;
      if (shift >= 0 && matcher.group(2).length() <= 1) {
        return Long.parseLong(matcher.group(1)) << (matcher.group(2).isEmpty() ? 0 : shift);
      }
    }
    problem(name, value, "a size such as 512m or 2g");
    return fallback;
  }

  /** Applies a reader whose exception says what is wrong with the value. */
  <T> @Nullable T read(String name, String value, Function<String, T> reader) {
    try {
      return reader.apply(value);
    } catch (RuntimeException e) {
      problem(name, value, "a valid value: " + e.getMessage());
      return null;
    }
  }

  void problem(String name, String found, String expected) {
    problems.add(
        "verifier "
            + spec.kind()
            + ": option "
            + name
            + ": found '"
            + found
            + "', expected "
            + expected);
  }

  /** Throws when an option was wrong or is not known. */
  void done() {
    for (String name : new TreeSet<>(spec.options().keySet())) {
      if (!known.contains(name)) {
        problems.add(
            "verifier " + spec.kind() + ": unknown option '" + name + "'; it knows " + known);
      }
    }
    if (!problems.isEmpty()) {
      throw new PlanException(problems);
    }
  }
}
