package io.knack.llm.text.jinja;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/** What may follow {@code is}. */
final class Tests {
  private static final Set<String> NAMES =
      Set.of(
          "defined",
          "undefined",
          "none",
          "true",
          "false",
          "boolean",
          "string",
          "mapping",
          "sequence",
          "iterable",
          "number",
          "integer",
          "float",
          "callable",
          "odd",
          "even",
          "divisibleby",
          "in",
          "eq",
          "equalto",
          "==",
          "ne",
          "!=",
          "lt",
          "lessthan",
          "<",
          "le",
          "<=",
          "gt",
          "greaterthan",
          ">",
          "ge",
          ">=",
          "sameas",
          "lower",
          "upper",
          "filter",
          "test");

  private Tests() {}

  static void check(String name, int line) {
    if (!NAMES.contains(name)) {
      throw TemplateException.unsupported(line, "test '" + name + "'");
    }
  }

  static boolean holds(Meter meter, String name, Object value, Callable.Arguments arguments) {
    List<Object> given = arguments.positional();
    return switch (name) {
      case "defined" -> !(value instanceof Undefined);
      case "undefined" -> value instanceof Undefined;
      case "none" -> value instanceof None;
      case "true" -> Boolean.TRUE.equals(value);
      case "false" -> Boolean.FALSE.equals(value);
      case "boolean" -> value instanceof Boolean;
      case "string" -> value instanceof String;
      case "mapping" -> value instanceof Map;
      case "sequence" ->
          value instanceof List
              || value instanceof Map
              || value instanceof String
              || value instanceof Undefined;
      case "iterable" -> Values.isIterable(value);
      case "number" -> Values.isNumber(value);
      case "integer" -> value instanceof Long;
      case "float" -> value instanceof Double;
      case "callable" -> value instanceof Callable;
      case "odd" -> Math.floorMod(Values.integer(value), 2L) == 1;
      case "even" -> Math.floorMod(Values.integer(value), 2L) == 0;
      case "divisibleby" ->
          Math.floorMod(Values.integer(value), Values.integer(one(name, given))) == 0;
      case "in" -> Values.contains(meter, one(name, given), value);
      case "eq", "equalto", "==" -> Values.equal(meter, value, one(name, given));
      case "ne", "!=" -> !Values.equal(meter, value, one(name, given));
      case "lt", "lessthan", "<" -> Values.compare(meter, value, one(name, given)) < 0;
      case "le", "<=" -> Values.compare(meter, value, one(name, given)) <= 0;
      case "gt", "greaterthan", ">" -> Values.compare(meter, value, one(name, given)) > 0;
      case "ge", ">=" -> Values.compare(meter, value, one(name, given)) >= 0;
      case "sameas" -> same(value, one(name, given));
      case "lower" -> Methods.isCased(meter, Values.text(meter, value), Character::isUpperCase);
      case "upper" -> Methods.isCased(meter, Values.text(meter, value), Character::isLowerCase);
      case "filter" -> Filters.exists(Values.string(value));
      case "test" -> NAMES.contains(Values.string(value).toLowerCase(Locale.ROOT));
      default ->
          throw new TemplateException(
              TemplateException.Kind.UNSUPPORTED, "unknown test '" + name + "'");
    };
  }

  private static boolean same(Object value, Object other) {
    boolean simple =
        value instanceof Boolean
            || value instanceof None
            || value instanceof Long
            || value instanceof String;
    return simple
        ? value.getClass() == other.getClass() && value.equals(other)
        : System.identityHashCode(value) == System.identityHashCode(other);
  }

  private static Object one(String name, List<Object> given) {
    if (given.size() != 1) {
      throw TemplateException.value("the test '" + name + "' wants one argument");
    }
    return given.get(0);
  }
}
