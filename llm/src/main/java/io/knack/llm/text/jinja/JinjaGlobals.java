package io.knack.llm.text.jinja;

import java.time.Clock;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The functions that a chat template finds without being given them. */
final class JinjaGlobals {
  /** What a directive of {@code strftime_now} costs. */
  private static final int DIRECTIVE_STEPS = 64;

  private JinjaGlobals() {}

  /** An object of ours with fields. */
  interface Fields {
    @Nullable Object attribute(String name);
  }

  static Map<String, Object> functions(Clock clock) {
    Map<String, Object> globals = new HashMap<>();
    globals.put("range", (Callable) JinjaGlobals::range);
    globals.put("namespace", (Callable) (run, arguments) -> namespace(run.meter, arguments));
    globals.put("dict", (Callable) (run, arguments) -> dict(run.meter, arguments));
    globals.put(
        "raise_exception",
        (Callable)
            (run, arguments) -> {
              throw new TemplateException(
                  TemplateException.Kind.RAISED,
                  Values.text(
                      run.meter,
                      arguments.allow("raise_exception", "message").required(0, "message")));
            });
    globals.put(
        "strftime_now",
        (Callable)
            (run, arguments) ->
                strftime(
                    run.meter,
                    arguments.allow("strftime_now", "format").text(0, "format", ""),
                    ZonedDateTime.now(clock)));
    globals.put("joiner", (Callable) (run, arguments) -> joiner(arguments));
    globals.put("cycler", (Callable) (run, arguments) -> new Cycler(arguments.positional()));
    return globals;
  }

  static String publicName(String name) {
    if (name.startsWith("_")) {
      throw TemplateException.value("a namespace cannot hold '" + name + "': it starts with '_'");
    }
    return name;
  }

  private static Object range(Evaluation run, Callable.Arguments arguments) {
    List<Object> given = arguments.allow("range", "start", "stop", "step").positional();
    if (given.isEmpty()) {
      throw TemplateException.value("range wants a bound");
    }
    long start = given.size() == 1 ? 0 : Values.integer(given.get(0));
    long stop = Values.integer(given.get(given.size() == 1 ? 0 : 1));
    long step = given.size() == 3 ? Values.integer(given.get(2)) : 1;
    if (step == 0) {
      throw TemplateException.value("range's step must not be zero");
    }
    // Differences of 64-bit integers fit into 64 bits where these have no sign.
    long count = 0;
    if (step > 0 && start < stop) {
      count = 1 + Long.divideUnsigned(stop - start - 1, step);
    } else if (step < 0 && start > stop) {
      count = 1 + Long.divideUnsigned(start - stop - 1, -step);
    }
    run.meter.checkElements(count < 0 ? Long.MAX_VALUE : count);
    List<Object> numbers = new ArrayList<>();
    for (long i = 0; i < count; i++) {
      numbers.add(start + i * step);
    }
    return numbers;
  }

  private static Namespace namespace(Meter meter, Callable.Arguments arguments) {
    Namespace namespace = new Namespace();
    dict(meter, arguments)
        .forEach((key, value) -> namespace.fields.put(publicName(Values.string(key)), value));
    return namespace;
  }

  private static Map<Object, Object> dict(Meter meter, Callable.Arguments arguments) {
    Map<Object, Object> map = new LinkedHashMap<>();
    for (Object given : arguments.positional()) {
      if (given instanceof Map) {
        meter.makeElements(((Map<?, ?>) given).size());
        Values.mapping(given).forEach((key, value) -> Values.put(meter, map, key, value));
      } else {
        for (Object pair : Values.elements(meter, given)) {
          List<Object> both = Values.elements(meter, pair);
          if (both.size() != 2) {
            throw TemplateException.value("dict wants pairs of key and value");
          }
          Values.put(meter, map, both.get(0), both.get(1));
        }
      }
    }
    map.putAll(arguments.named());
    return map;
  }

  private static Callable joiner(Callable.Arguments arguments) {
    String separator = arguments.allow("joiner", "sep").text(0, "sep", ", ");
    boolean[] used = {false};
    return (run, none) -> {
      if (used[0]) {
        return separator;
      }
      used[0] = true;
      return "";
    };
  }

  private static final class Cycler implements Fields {
    private final List<Object> items;
    private int at;

    Cycler(List<Object> items) {
      if (items.isEmpty()) {
        throw TemplateException.value("cycler wants arguments");
      }
      this.items = items;
    }

    @Override
    public @Nullable Object attribute(String name) {
      return switch (name) {
        case "current" -> items.get(at);
        case "next" ->
            (Callable)
                (run, none) -> {
                  Object current = items.get(at);
                  at = (at + 1) % items.size();
                  return current;
                };
        case "reset" ->
            (Callable)
                (run, none) -> {
                  at = 0;
                  return None.NONE;
                };
        default -> null;
      };
    }
  }

  static String strftime(Meter meter, String format, ZonedDateTime now) {
    Text out = new Text(meter);
    for (int i = 0; i < format.length(); i++) {
      char c = format.charAt(i);
      if (c != '%' || i + 1 >= format.length()) {
        out.append(c);
        continue;
      }
      meter.work(DIRECTIVE_STEPS);
      char directive = format.charAt(++i);
      String pattern =
          switch (directive) {
            case 'd' -> "dd";
            case 'm' -> "MM";
            case 'y' -> "yy";
            case 'Y' -> "yyyy";
            case 'b', 'h' -> "MMM";
            case 'B' -> "MMMM";
            case 'a' -> "EEE";
            case 'A' -> "EEEE";
            case 'H' -> "HH";
            case 'I' -> "hh";
            case 'M' -> "mm";
            case 'S' -> "ss";
            case 'f' -> "SSSSSS";
            case 'p' -> "a";
            case 'j' -> "DDD";
            case 'F' -> "yyyy-MM-dd";
            case 'T' -> "HH:mm:ss";
            case '%' -> "'%'";
            default ->
                throw new TemplateException(
                    TemplateException.Kind.UNSUPPORTED,
                    "unknown directive %" + directive + " of strftime_now");
          };
      out.append(DateTimeFormatter.ofPattern(pattern, Locale.ENGLISH).format(now));
    }
    return out.made();
  }
}
