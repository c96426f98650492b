package io.knack.llm.text.jinja;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

/** Methods of strings, lists and mappings that change nothing. */
final class Methods {
  private static final String LINE_ENDS = "\n\r\013\f\034\035\036\u0085\u2028\u2029";

  private Methods() {}

  /** The method bound to its target; null where there is none of that name. */
  static @Nullable Callable find(Object target, String name) {
    if (target instanceof String text) {
      return ofString(text, name);
    } else if (target instanceof List<?> list) {
      return ofList(Values.list(list), name);
    } else if (target instanceof Map<?, ?> map) {
      return ofMap(Values.mapping(map), name);
    }
    return null;
  }

  private static Callable refused(String name) {
    return (run, arguments) -> {
      throw TemplateException.value("'" + name + "' would change a value, which is not allowed");
    };
  }

  private static @Nullable Callable ofMap(Map<Object, Object> map, String name) {
    return switch (name) {
      case "items" ->
          (run, arguments) -> {
            List<Object> items = new ArrayList<>();
            map.forEach((key, value) -> items.add(Tuple.of(key, value)));
            return items;
          };
      case "keys" -> (run, arguments) -> new ArrayList<>(map.keySet());
      case "values" -> (run, arguments) -> new ArrayList<>(map.values());
      case "get" ->
          (run, arguments) -> {
            Object key = arguments.allow(name, "key", "default").required(0, "key");
            Object value = map.get(Values.key(run.meter, map, key));
            return value != null ? value : arguments.get(1, "default", None.NONE);
          };
      case "copy" -> (run, arguments) -> new LinkedHashMap<>(map);
      case "pop", "popitem", "update", "setdefault", "clear" -> refused(name);
      default -> null;
    };
  }

  private static @Nullable Callable ofList(List<Object> list, String name) {
    return switch (name) {
      case "index" ->
          (run, arguments) -> {
            Object wanted = arguments.allow(name, "value").required(0, "value");
            for (int i = 0; i < list.size(); i++) {
              if (Values.equal(run.meter, list.get(i), wanted)) {
                return (long) i;
              }
            }
            throw TemplateException.value(Values.repr(run.meter, wanted) + " is not in the list");
          };
      case "count" ->
          (run, arguments) -> {
            Object wanted = arguments.allow(name, "value").required(0, "value");
            return list.stream()
                .filter(element -> Values.equal(run.meter, element, wanted))
                .count();
          };
      case "copy" -> (run, arguments) -> new ArrayList<>(list);
      case "append", "extend", "insert", "pop", "remove", "reverse", "sort", "clear" ->
          refused(name);
      default -> null;
    };
  }

  private static @Nullable Callable ofString(String text, String name) {
    return switch (name) {
      case "strip" -> (run, a) -> strip(run.meter, text, a.allow(name, "chars"), Side.BOTH);
      case "lstrip" -> (run, a) -> strip(run.meter, text, a.allow(name, "chars"), Side.LEFT);
      case "rstrip" -> (run, a) -> strip(run.meter, text, a.allow(name, "chars"), Side.RIGHT);
      case "upper" -> (run, a) -> text.toUpperCase(Locale.ROOT);
      case "lower", "casefold" -> (run, a) -> text.toLowerCase(Locale.ROOT);
      case "title" -> (run, a) -> title(text);
      case "capitalize" -> (run, a) -> capitalize(text);
      case "startswith" -> (run, a) -> any(run.meter, a.allow(name, "prefix"), text::startsWith);
      case "endswith" -> (run, a) -> any(run.meter, a.allow(name, "suffix"), text::endsWith);
      case "removeprefix" ->
          (run, a) -> {
            String prefix = Values.string(a.allow(name, "prefix").required(0, "prefix"));
            run.meter.touch(prefix.length());
            return text.startsWith(prefix) ? text.substring(prefix.length()) : text;
          };
      case "removesuffix" ->
          (run, a) -> {
            String suffix = Values.string(a.allow(name, "suffix").required(0, "suffix"));
            run.meter.touch(suffix.length());
            return text.endsWith(suffix)
                ? text.substring(0, text.length() - suffix.length())
                : text;
          };
      case "replace" ->
          (run, a) ->
              replace(
                  run.meter,
                  text,
                  Values.string(a.allow(name, "old", "new", "count").required(0, "old")),
                  Values.string(a.required(1, "new")),
                  a.integer(2, "count", -1));
      case "split" -> (run, a) -> split(run, text, a.allow(name, "sep", "maxsplit"));
      case "rsplit" -> (run, a) -> rsplit(run, text, a.allow(name, "sep", "maxsplit"));
      case "splitlines" -> (run, a) -> splitLines(run, text, a.allow(name, "keepends"));
      case "partition" ->
          (run, a) -> {
            String separator = separator(a.allow(name, "sep"));
            int at = Search.first(run.meter, text, separator, 0);
            run.meter.makeText(text.length());
            return at < 0
                ? Tuple.of(text, "", "")
                : Tuple.of(
                    text.substring(0, at), separator, text.substring(at + separator.length()));
          };
      case "rpartition" ->
          (run, a) -> {
            String separator = separator(a.allow(name, "sep"));
            int at = Search.last(run.meter, text, separator, text.length());
            run.meter.makeText(text.length());
            return at < 0
                ? Tuple.of("", "", text)
                : Tuple.of(
                    text.substring(0, at), separator, text.substring(at + separator.length()));
          };
      case "join" ->
          (run, a) -> {
            Text joined = new Text(run.meter);
            List<Object> parts =
                Values.elements(run.meter, a.allow(name, "parts").required(0, "parts"));
            for (int i = 0; i < parts.size(); i++) {
              run.meter.step();
              joined.append(i == 0 ? "" : text).append(Values.string(parts.get(i)));
            }
            return joined.made();
          };
      case "find" ->
          (run, a) -> codePoints(run.meter, text, first(run.meter, text, a.allow(name, "sub")));
      case "rfind" ->
          (run, a) ->
              codePoints(
                  run.meter,
                  text,
                  Search.last(run.meter, text, wanted(a.allow(name, "sub")), text.length()));
      case "index" ->
          (run, a) -> {
            int at = first(run.meter, text, a.allow(name, "sub"));
            if (at < 0) {
              throw TemplateException.value("the substring was not found");
            }
            return codePoints(run.meter, text, at);
          };
      case "count" ->
          (run, a) -> {
            String sub = wanted(a.allow(name, "sub"));
            if (sub.isEmpty()) {
              return Values.length(run.meter, text) + 1L;
            }
            long count = 0;
            int at = Search.first(run.meter, text, sub, 0);
            while (at >= 0) {
              count++;
              at = Search.first(run.meter, text, sub, at + sub.length());
            }
            return count;
          };
      case "isdigit", "isnumeric", "isdecimal" ->
          (run, a) -> every(run.meter, text, Character::isDigit);
      case "isalpha" -> (run, a) -> every(run.meter, text, Character::isLetter);
      case "isalnum" -> (run, a) -> every(run.meter, text, Character::isLetterOrDigit);
      case "isspace" -> (run, a) -> every(run.meter, text, Methods::isSpace);
      case "isupper" -> (run, a) -> isCased(run.meter, text, Character::isLowerCase);
      case "islower" -> (run, a) -> isCased(run.meter, text, Character::isUpperCase);
      case "zfill" -> (run, a) -> zeroFilled(run, text, a.allow(name, "width"));
      case "ljust" ->
          (run, a) ->
              pad(run, text, a.allow(name, "width", "fill"), a.text(1, "fill", " "), Side.RIGHT);
      case "rjust" ->
          (run, a) ->
              pad(run, text, a.allow(name, "width", "fill"), a.text(1, "fill", " "), Side.LEFT);
      default -> null;
    };
  }

  private enum Side {
    LEFT,
    RIGHT,
    BOTH
  }

  /** Whether there is a letter and no cased letter of the unwanted kind. */
  static boolean isCased(Meter meter, String text, IntPredicate unwanted) {
    meter.touch(text.length());
    return text.codePoints().anyMatch(c -> Character.isUpperCase(c) || Character.isLowerCase(c))
        && text.codePoints().noneMatch(unwanted);
  }

  /** Python's white space of {@code str.isspace}, which knows the no-break spaces too. */
  static boolean isSpace(int c) {
    return Character.isWhitespace(c) || c == 0x85 || c == 0xa0 || c == 0x2007 || c == 0x202f;
  }

  private static boolean every(Meter meter, String text, IntPredicate condition) {
    meter.touch(text.length());
    return !text.isEmpty() && text.codePoints().allMatch(condition);
  }

  private static int first(Meter meter, String text, Callable.Arguments arguments) {
    return Search.first(meter, text, wanted(arguments), 0);
  }

  private static long codePoints(Meter meter, String text, int at) {
    meter.touch(Math.max(0, at));
    return at < 0 ? -1 : text.codePointCount(0, at);
  }

  private static String wanted(Callable.Arguments arguments) {
    return Values.string(arguments.required(0, "sub"));
  }

  private static String separator(Callable.Arguments arguments) {
    String separator = Values.string(arguments.required(0, "sep"));
    if (separator.isEmpty()) {
      throw TemplateException.value("the separator must not be empty");
    }
    return separator;
  }

  private static boolean any(
      Meter meter, Callable.Arguments arguments, java.util.function.Predicate<String> condition) {
    Object wanted = arguments.positional().isEmpty() ? None.NONE : arguments.positional().get(0);
    List<Object> all = wanted instanceof Tuple tuple ? tuple : List.of(wanted);
    return all.stream()
        .map(Values::string)
        .anyMatch(
            text -> {
              meter.touch(text.length());
              return condition.test(text);
            });
  }

  private static String strip(Meter meter, String text, Callable.Arguments arguments, Side side) {
    Object set = arguments.get(0, "chars", None.NONE);
    IntPredicate goes =
        set instanceof None
            ? Methods::isSpace
            : c -> {
              meter.touch(Values.string(set).length());
              return Values.string(set).indexOf(c) >= 0;
            };
    int start = 0;
    int end = text.length();
    while (side != Side.RIGHT && start < end && goes.test(text.codePointAt(start))) {
      start += Character.charCount(text.codePointAt(start));
    }
    while (side != Side.LEFT && end > start && goes.test(text.codePointBefore(end))) {
      end -= Character.charCount(text.codePointBefore(end));
    }
    meter.touch(text.length() - (end - start));
    return text.substring(start, end);
  }

  static String capitalize(String text) {
    if (text.isEmpty()) {
      return text;
    }
    int first = text.offsetByCodePoints(0, 1);
    return text.substring(0, first).toUpperCase(Locale.ROOT)
        + text.substring(first).toLowerCase(Locale.ROOT);
  }

  /** The filter's, which goes by blanks and opening brackets where the method goes by letters. */
  static String titleOfWords(String text) {
    StringBuilder out = new StringBuilder();
    boolean starting = true;
    for (int i = 0; i < text.length(); i = text.offsetByCodePoints(i, 1)) {
      int c = text.codePointAt(i);
      String one = Character.toString(c);
      out.append(starting ? one.toUpperCase(Locale.ROOT) : one.toLowerCase(Locale.ROOT));
      starting = isSpace(c) || "-({[<".indexOf(c) >= 0;
    }
    return out.toString();
  }

  static String title(String text) {
    StringBuilder out = new StringBuilder();
    boolean inside = false;
    for (int c : text.codePoints().toArray()) {
      boolean letter = Character.isLetter(c);
      out.appendCodePoint(
          !letter ? c : inside ? Character.toLowerCase(c) : Character.toTitleCase(c));
      inside = letter;
    }
    return out.toString();
  }

  static String replace(Meter meter, String text, String old, String with, long count) {
    Text out = new Text(meter);
    long left = count < 0 ? Long.MAX_VALUE : count;
    int from = 0;
    if (old.isEmpty()) {
      for (; left > 0 && from < text.length(); left--) {
        meter.step();
        int next = text.offsetByCodePoints(from, 1);
        out.append(with).append(text, from, next);
        from = next;
      }
      return out.append(left > 0 ? with : "").append(text, from, text.length()).made();
    }
    while (left-- > 0) {
      int at = Search.first(meter, text, old, from);
      if (at < 0) {
        break;
      }
      out.append(text, from, at).append(with);
      from = at + old.length();
    }
    return out.append(text, from, text.length()).made();
  }

  private static List<Object> split(Evaluation run, String text, Callable.Arguments arguments) {
    long most = arguments.integer(1, "maxsplit", -1);
    long left = most < 0 ? Long.MAX_VALUE : most;
    run.meter.makeText(text.length());
    List<Object> parts = new ArrayList<>();
    if (arguments.get(0, "sep", None.NONE) instanceof None) {
      int at = 0;
      while (true) {
        while (at < text.length() && isSpace(text.charAt(at))) {
          at++;
        }
        if (at >= text.length()) {
          return parts;
        }
        if (left-- == 0) {
          int end = text.length();
          while (isSpace(text.charAt(end - 1))) {
            end--;
          }
          parts.add(text.substring(at, end));
          return parts;
        }
        int stop = at;
        while (stop < text.length() && !isSpace(text.charAt(stop))) {
          stop++;
        }
        parts.add(text.substring(at, stop));
        run.meter.checkElements(parts.size());
        at = stop;
      }
    }
    String separator = separator(arguments);
    int from = 0;
    while (left-- > 0) {
      int at = Search.first(run.meter, text, separator, from);
      if (at < 0) {
        break;
      }
      parts.add(text.substring(from, at));
      run.meter.checkElements(parts.size());
      from = at + separator.length();
    }
    parts.add(text.substring(from));
    return parts;
  }

  private static List<Object> rsplit(Evaluation run, String text, Callable.Arguments arguments) {
    long most = arguments.integer(1, "maxsplit", -1);
    if (most < 0) {
      return split(run, text, arguments);
    }
    run.meter.makeText(text.length());
    String separator = separator(arguments);
    List<Object> parts = new ArrayList<>();
    int end = text.length();
    while (most-- > 0) {
      int at = Search.last(run.meter, text, separator, end);
      if (at < 0) {
        break;
      }
      parts.add(text.substring(at + separator.length(), end));
      run.meter.checkElements(parts.size());
      end = at;
    }
    parts.add(text.substring(0, end));
    Collections.reverse(parts);
    return parts;
  }

  private static List<Object> splitLines(
      Evaluation run, String text, Callable.Arguments arguments) {
    run.meter.makeText(text.length());
    boolean keep = arguments.flag(0, "keepends", false);
    List<Object> lines = new ArrayList<>();
    int from = 0;
    while (from < text.length()) {
      int at = from;
      while (at < text.length() && LINE_ENDS.indexOf(text.charAt(at)) < 0) {
        at++;
      }
      int next = at;
      if (next < text.length()) {
        next += text.startsWith("\r\n", at) ? 2 : 1;
      }
      lines.add(text.substring(from, keep ? next : at));
      run.meter.checkElements(lines.size());
      from = next;
    }
    return lines;
  }

  private static String pad(
      Evaluation run, String text, Callable.Arguments arguments, String fill, Side side) {
    if (fill.codePointCount(0, fill.length()) != 1) {
      throw TemplateException.value("the fill must be one character");
    }
    long missing = arguments.integer(0, "width", 0) - Values.length(run.meter, text);
    run.meter.checkLength(Math.max(0, missing) + text.length());
    String padding = fill.repeat((int) Math.max(0, missing));
    return side == Side.RIGHT ? text + padding : padding + text;
  }

  private static String zeroFilled(Evaluation run, String text, Callable.Arguments arguments) {
    boolean signed = !text.isEmpty() && "+-".indexOf(text.charAt(0)) >= 0;
    String padded = pad(run, text, arguments, "0", Side.LEFT);
    int zeros = padded.length() - text.length();
    return signed ? text.charAt(0) + padded.substring(0, zeros) + text.substring(1) : padded;
  }
}
