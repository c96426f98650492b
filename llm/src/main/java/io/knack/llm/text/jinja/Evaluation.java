package io.knack.llm.text.jinja;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Evaluates the expressions of one run of a template. */
final class Evaluation {
  /** Jinja defines these; here they would silently be undefined. */
  private static final Set<String> UNSUPPORTED_NAMES =
      Set.of("self", "super", "lipsum", "varargs", "kwargs");

  final Meter meter;

  /** Names as the statement at hand sees them. */
  Scope scope;

  Evaluation(Meter meter, Scope scope) {
    this.meter = meter;
    this.scope = scope;
  }

  Object value(Expr expression) {
    meter.step();
    if (expression instanceof Expr.Literal literal) {
      return literal.value();
    } else if (expression instanceof Expr.Name name) {
      Object found = scope.find(name.name());
      if (found == null && UNSUPPORTED_NAMES.contains(name.name())) {
        throw TemplateException.unsupported(name.line(), "name '" + name.name() + "'");
      }
      return found != null ? found : new Undefined("'" + name.name() + "' is undefined");
    } else if (expression instanceof Expr.Attribute attribute) {
      return at(attribute.line(), () -> attribute(value(attribute.target()), attribute.name()));
    } else if (expression instanceof Expr.Item item) {
      return at(item.line(), () -> item(meter, value(item.target()), value(item.key())));
    } else if (expression instanceof Expr.Slice slice) {
      return at(slice.line(), () -> slice(slice));
    } else if (expression instanceof Expr.Call call) {
      return at(call.line(), () -> call(value(call.target()), arguments(call.arguments())));
    } else if (expression instanceof Expr.Filter filter) {
      return at(
          filter.line(),
          () ->
              Filters.apply(
                  this, filter.name(), value(filter.target()), arguments(filter.arguments())));
    } else if (expression instanceof Expr.Test test) {
      return at(
          test.line(),
          () -> Tests.holds(meter, test.name(), value(test.target()), arguments(test.arguments())));
    } else if (expression instanceof Expr.And and) {
      Object left = value(and.left());
      return Values.truth(left) ? value(and.right()) : left;
    } else if (expression instanceof Expr.Or or) {
      Object left = value(or.left());
      return Values.truth(left) ? left : value(or.right());
    } else if (expression instanceof Expr.Not not) {
      return !Values.truth(value(not.operand()));
    } else if (expression instanceof Expr.Compare compare) {
      return at(compare.line(), () -> compare(compare));
    } else if (expression instanceof Expr.Binary binary) {
      return at(
          binary.line(),
          () ->
              Operators.binary(
                  this, binary.operator(), value(binary.left()), value(binary.right())));
    } else if (expression instanceof Expr.Unary unary) {
      return at(unary.line(), () -> Operators.unary(unary.operator(), value(unary.operand())));
    } else if (expression instanceof Expr.Concat concat) {
      Text text = new Text(meter);
      for (Expr part : concat.parts()) {
        text.append(Values.text(meter, value(part)));
      }
      return text.made();
    } else if (expression instanceof Expr.Conditional conditional) {
      if (Values.truth(value(conditional.test()))) {
        return value(conditional.then());
      }
      Expr otherwise = conditional.otherwise();
      return otherwise == null
          ? new Undefined("the condition was false and there is no 'else'")
          : value(otherwise);
    } else if (expression instanceof Expr.ListOf list) {
      return values(list.elements());
    } else if (expression instanceof Expr.TupleOf tuple) {
      return new Tuple(values(tuple.elements()));
    } else if (expression instanceof Expr.DictOf dict) {
      meter.makeElements(dict.keys().size());
      Map<Object, Object> map = new LinkedHashMap<>();
      for (int i = 0; i < dict.keys().size(); i++) {
        Object key = value(dict.keys().get(i));
        Values.put(meter, map, key, value(dict.values().get(i)));
      }
      return map;
    }
    throw new IllegalStateException("no evaluation for " + expression.getClass());
  }

  private static Object at(int line, java.util.function.Supplier<Object> evaluation) {
    try {
      return evaluation.get();
    } catch (TemplateException e) {
      throw e.at(line);
    } catch (ArithmeticException e) {
      throw TemplateException.value("arithmetic: " + e.getMessage()).at(line);
    }
  }

  private List<Object> values(List<Expr> expressions) {
    meter.makeElements(expressions.size());
    List<Object> values = new ArrayList<>(expressions.size());
    for (Expr expression : expressions) {
      values.add(value(expression));
    }
    return values;
  }

  Callable.Arguments arguments(Expr.Arguments arguments) {
    if (arguments.positional().isEmpty() && arguments.named().isEmpty()) {
      return Callable.Arguments.NONE;
    }
    Map<String, Object> named = new LinkedHashMap<>();
    for (Expr.Keyword keyword : arguments.named()) {
      named.put(keyword.name(), value(keyword.value()));
    }
    return new Callable.Arguments(values(arguments.positional()), named);
  }

  Object call(Object target, Callable.Arguments arguments) {
    if (target instanceof Callable function) {
      return meter.bounded(function.call(this, arguments));
    }
    if (target instanceof Loop loop) {
      return loop.recurse(arguments);
    }
    if (target instanceof Undefined missing) {
      throw new TemplateException(
          TemplateException.Kind.UNSUPPORTED, "unknown function: " + missing.why());
    }
    throw TemplateException.value(Values.typeName(target) + " cannot be called");
  }

  /** {@code target.name}: a method if there is one, a field or key otherwise. */
  static Object attribute(Object target, String name) {
    if (target instanceof Undefined missing) {
      throw missing.used();
    }
    Callable method = Methods.find(target, name);
    if (method != null) {
      return method;
    }
    Object found = null;
    if (target instanceof Map<?, ?> map) {
      found = map.get(name);
    } else if (target instanceof Namespace namespace) {
      found = namespace.fields.get(name);
    } else if (target instanceof Loop loop) {
      found = loop.attribute(name);
    } else if (target instanceof JinjaGlobals.Fields fields) {
      found = fields.attribute(name);
    }
    return found != null
        ? found
        : new Undefined(Values.typeName(target) + " has no '" + name + "'");
  }

  /** {@code target[key]}. */
  static Object item(Meter meter, Object target, Object key) {
    if (target instanceof Undefined missing) {
      throw missing.used();
    }
    if (target instanceof Map<?, ?>) {
      Map<Object, Object> map = Values.mapping(target);
      boolean hashable = !(key instanceof Map) && (!(key instanceof List) || key instanceof Tuple);
      Object found = hashable ? map.get(Values.key(meter, map, key)) : null;
      return found != null ? found : new Undefined("the mapping has no key " + shown(key));
    }
    if (target instanceof String text && key instanceof Long index) {
      String found = Values.character(meter, text, index);
      return found != null ? found : new Undefined("there is no character " + index);
    }
    if (target instanceof List<?> list && key instanceof Long index) {
      long at = index < 0 ? index + list.size() : index;
      return at >= 0 && at < list.size()
          ? list.get((int) at)
          : new Undefined("there is no element " + index + " in " + list.size());
    }
    if (key instanceof String name) {
      return attribute(target, name);
    }
    return new Undefined(Values.typeName(target) + " has no element " + shown(key));
  }

  private static String shown(Object key) {
    if (key instanceof String text) {
      return "'" + (text.length() > 60 ? text.substring(0, 60) + "..." : text) + "'";
    }
    return key instanceof Long ? key.toString() : Values.typeName(key);
  }

  private Object slice(Expr.Slice slice) {
    Object target = value(slice.target());
    if (target instanceof Undefined missing) {
      throw missing.used();
    }
    return meter.bounded(
        Values.slice(
            meter, target, bound(slice.start()), bound(slice.stop()), bound(slice.step())));
  }

  private @Nullable Long bound(@Nullable Expr expression) {
    if (expression == null) {
      return null;
    }
    Object value = value(expression);
    return value instanceof None ? null : Values.integer(value);
  }

  private Object compare(Expr.Compare compare) {
    Object left = value(compare.first());
    for (int i = 0; i < compare.operators().size(); i++) {
      Object right = value(compare.others().get(i));
      if (!Operators.compare(meter, compare.operators().get(i), left, right)) {
        return false;
      }
      left = right;
    }
    return true;
  }
}
