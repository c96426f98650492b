package io.knack.llm.text.jinja;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/** Walks one template once. */
final class Interpreter {
  /** Names in one region of the template. */
  private static final class Scope {
    final @Nullable Scope parent;
    final Map<String, Object> names = new HashMap<>();

    Scope(@Nullable Scope parent) {
      this.parent = parent;
    }

    @Nullable Object find(String name) {
      for (Scope scope = this; scope != null; scope = scope.parent) {
        Object value = scope.names.get(name);
        if (value != null) {
          return value;
        }
      }
      return null;
    }
  }

  private enum Flow {
    NEXT,
    BREAK,
    CONTINUE
  }

  /** Jinja defines these; here they would silently be undefined. */
  private static final Set<String> UNSUPPORTED_NAMES =
      Set.of("self", "super", "lipsum", "varargs", "kwargs");

  private final Limits limits;
  private final LongSupplier nanos;
  private final long deadline;
  private final StringBuilder page = new StringBuilder();
  private final List<JinjaTemplate.Span> generated = new ArrayList<>();
  private StringBuilder out = page;
  private Scope scope = new Scope(null);
  private long steps;
  private long nextLook = 1024;
  private int depth;

  Interpreter(Limits limits, Map<String, Object> globals, LongSupplier nanos) {
    this.limits = limits;
    this.nanos = nanos;
    this.deadline = nanos.getAsLong() + limits.time().toNanos();
    scope.names.putAll(globals);
    scope = new Scope(scope);
  }

  JinjaTemplate.Rendered run(List<Node> template) {
    all(template);
    return new JinjaTemplate.Rendered(page.toString(), List.copyOf(generated));
  }

  // Limits.

  private void step() {
    if (++steps > limits.steps()) {
      throw TemplateException.limit("more than " + limits.steps() + " steps");
    }
    if (steps >= nextLook) {
      nextLook = steps + 1024;
      look();
    }
  }

  private void look() {
    if (nanos.getAsLong() - deadline > 0) {
      throw TemplateException.limit("longer than " + limits.time().toMillis() + " ms");
    }
  }

  /** Passes a value on unless it is too long. Long values cost time, so that they cost steps. */
  <T> T bounded(T value) {
    if (value instanceof String text) {
      checkLength(text.length());
      steps += text.length() >> 6;
    } else if (value instanceof List<?> list) {
      checkElements(list.size());
      steps += list.size() >> 2;
    }
    return value;
  }

  /** To be called before a string of that length is made. */
  void checkLength(long characters) {
    if (characters > limits.characters()) {
      throw TemplateException.limit("a text longer than " + limits.characters() + " characters");
    }
  }

  /** To be called before a list of that length is made. */
  void checkElements(long elements) {
    if (elements > limits.elements()) {
      throw TemplateException.limit("a list longer than " + limits.elements() + " elements");
    }
  }

  private void emit(String text) {
    steps += text.length() >> 6;
    if ((long) out.length() + text.length() > limits.characters()) {
      throw TemplateException.limit("an output longer than " + limits.characters() + " characters");
    }
    out.append(text);
  }

  private void enter() {
    if (++depth > limits.depth()) {
      throw TemplateException.limit("calls nested deeper than " + limits.depth() + " levels");
    }
  }

  // Statements.

  private Flow all(List<Node> nodes) {
    for (Node node : nodes) {
      Flow flow = one(node);
      if (flow != Flow.NEXT) {
        return flow;
      }
    }
    return Flow.NEXT;
  }

  private Flow one(Node node) {
    step();
    if (node instanceof Node.Data data) {
      emit(data.text());
    } else if (node instanceof Node.Output output) {
      located(output.line(), () -> emit(bounded(Values.text(value(output.expression())))));
    } else if (node instanceof Node.If choice) {
      for (Node.Branch branch : choice.branches()) {
        if (Values.truth(value(branch.test()))) {
          return all(branch.body());
        }
      }
      return all(choice.otherwise());
    } else if (node instanceof Node.For loop) {
      return loop(loop, value(loop.iterable()), 0);
    } else if (node instanceof Node.Set set) {
      located(set.line(), () -> assign(set.target(), value(set.value())));
    } else if (node instanceof Node.SetBlock set) {
      String text = captured(set.body(), new Scope(scope));
      located(set.line(), () -> assign(set.target(), filtered(text, set.filters())));
    } else if (node instanceof Node.Macro macro) {
      scope.names.put(macro.name(), macro(macro.name(), macro.parameters(), macro.body()));
    } else if (node instanceof Node.CallBlock block) {
      callBlock(block);
    } else if (node instanceof Node.FilterBlock block) {
      String text = captured(block.body(), new Scope(scope));
      located(block.line(), () -> emit(Values.text(filtered(text, block.filters()))));
    } else if (node instanceof Node.With with) {
      return with(with);
    } else if (node instanceof Node.Generation generation) {
      return generation(generation);
    } else if (node instanceof Node.Do statement) {
      value(statement.expression());
    } else if (node instanceof Node.Break) {
      return Flow.BREAK;
    } else if (node instanceof Node.Continue) {
      return Flow.CONTINUE;
    }
    return Flow.NEXT;
  }

  private static void located(int line, Runnable action) {
    try {
      action.run();
    } catch (TemplateException e) {
      throw e.at(line);
    }
  }

  private Flow within(Scope inner, List<Node> body) {
    Scope outer = scope;
    scope = inner;
    try {
      return all(body);
    } finally {
      scope = outer;
    }
  }

  private String captured(List<Node> body, Scope inner) {
    StringBuilder outer = out;
    out = new StringBuilder();
    try {
      within(inner, body);
      return out.toString();
    } finally {
      out = outer;
    }
  }

  private Object filtered(Object value, List<Node.FilterCall> filters) {
    Object result = value;
    for (Node.FilterCall filter : filters) {
      result = Filters.apply(this, filter.name(), result, arguments(filter.arguments()));
    }
    return result;
  }

  private Flow with(Node.With with) {
    Scope inner = new Scope(scope);
    for (int i = 0; i < with.targets().size(); i++) {
      if (with.targets().get(i) instanceof Node.Target.Variable variable) {
        inner.names.put(variable.name(), value(with.values().get(i)));
      }
    }
    return within(inner, with.body());
  }

  private Flow generation(Node.Generation generation) {
    if (out != page) {
      throw TemplateException.unsupported(
          generation.line(), "use of 'generation' inside a macro or set block");
    }
    int start = page.length();
    Flow flow = within(new Scope(scope), generation.body());
    generated.add(new JinjaTemplate.Span(start, page.length()));
    return flow;
  }

  private void assign(Node.Target target, Object value) {
    if (target instanceof Node.Target.Variable variable) {
      scope.names.put(variable.name(), value);
    } else if (target instanceof Node.Target.Field field) {
      if (!(scope.find(field.namespace()) instanceof Namespace namespace)) {
        throw TemplateException.value(
            "'"
                + field.namespace()
                + "' is no namespace, so '"
                + field.name()
                + "' cannot be assigned in it");
      }
      namespace.fields.put(JinjaGlobals.publicName(field.name()), value);
    } else if (target instanceof Node.Target.Several several) {
      List<Object> values = Values.elements(value);
      if (values.size() != several.targets().size()) {
        throw TemplateException.value(
            "expected " + several.targets().size() + " values to assign, found " + values.size());
      }
      for (int i = 0; i < values.size(); i++) {
        assign(several.targets().get(i), values.get(i));
      }
    }
  }

  private Flow loop(Node.For node, Object iterable, int level) {
    List<Object> elements = elementsOf(node, iterable);
    if (elements.isEmpty()) {
      return within(new Scope(scope), node.otherwise());
    }
    Loop loop =
        new Loop(
            elements,
            level,
            node.recursive() ? inner -> captured(() -> loop(node, inner, level + 1)) : null);
    for (int i = 0; i < elements.size(); i++) {
      step();
      loop.at = i;
      Scope inner = new Scope(scope);
      inner.names.put("loop", loop);
      Scope outer = scope;
      scope = inner;
      try {
        int at = i;
        located(node.line(), () -> assign(node.target(), elements.get(at)));
        if (all(node.body()) == Flow.BREAK) {
          break;
        }
      } finally {
        scope = outer;
      }
    }
    return Flow.NEXT;
  }

  private List<Object> elementsOf(Node.For node, Object iterable) {
    List<Object> elements;
    try {
      elements = Values.elements(iterable);
    } catch (TemplateException e) {
      throw e.at(node.line());
    }
    Expr filter = node.filter();
    if (filter == null) {
      return elements;
    }
    List<Object> chosen = new ArrayList<>();
    Scope outer = scope;
    for (Object element : elements) {
      step();
      scope = new Scope(outer);
      try {
        assign(node.target(), element);
        if (Values.truth(value(filter))) {
          chosen.add(element);
        }
      } finally {
        scope = outer;
      }
    }
    return chosen;
  }

  private String captured(Runnable body) {
    enter();
    StringBuilder outer = out;
    out = new StringBuilder();
    try {
      body.run();
      return out.toString();
    } finally {
      out = outer;
      depth--;
    }
  }

  private Callable macro(String name, List<Node.Parameter> parameters, List<Node> body) {
    Scope defined = scope;
    return (run, arguments) -> {
      Scope inner = new Scope(defined);
      Map<String, Object> named = new HashMap<>(arguments.named());
      Object caller = named.remove("caller");
      if (caller != null) {
        inner.names.put("caller", caller);
      }
      if (arguments.positional().size() > parameters.size()) {
        throw TemplateException.value(
            "the macro " + name + " takes at most " + parameters.size() + " arguments");
      }
      for (int i = 0; i < parameters.size(); i++) {
        Node.Parameter parameter = parameters.get(i);
        Object given =
            i < arguments.positional().size()
                ? arguments.positional().get(i)
                : named.remove(parameter.name());
        inner.names.put(parameter.name(), given != null ? given : standard(parameter, inner));
      }
      if (!named.isEmpty()) {
        throw TemplateException.value(
            "the macro " + name + " has no parameter '" + named.keySet().iterator().next() + "'");
      }
      enter();
      try {
        return captured(body, inner);
      } finally {
        depth--;
      }
    };
  }

  private Object standard(Node.Parameter parameter, Scope inner) {
    Expr standard = parameter.standard();
    if (standard == null) {
      return new Undefined("the parameter '" + parameter.name() + "' was not given");
    }
    Scope outer = scope;
    scope = inner;
    try {
      return value(standard);
    } finally {
      scope = outer;
    }
  }

  private void callBlock(Node.CallBlock block) {
    located(
        block.line(),
        () -> {
          Callable.Arguments given = arguments(block.call().arguments());
          Map<String, Object> named = new LinkedHashMap<>(given.named());
          named.put("caller", macro("caller", block.parameters(), block.body()));
          Object text =
              call(value(block.call().target()), new Callable.Arguments(given.positional(), named));
          emit(Values.text(text));
        });
  }

  // Expressions.

  private Object value(Expr expression) {
    step();
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
      return at(item.line(), () -> item(value(item.target()), value(item.key())));
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
          () -> Tests.holds(test.name(), value(test.target()), arguments(test.arguments())));
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
      StringBuilder text = new StringBuilder();
      for (Expr part : concat.parts()) {
        text.append(Values.text(value(part)));
        checkLength(text.length());
      }
      return text.toString();
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
      Map<Object, Object> map = new LinkedHashMap<>();
      for (int i = 0; i < dict.keys().size(); i++) {
        map.put(value(dict.keys().get(i)), value(dict.values().get(i)));
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
    List<Object> values = new ArrayList<>(expressions.size());
    for (Expr expression : expressions) {
      values.add(value(expression));
    }
    return values;
  }

  private Callable.Arguments arguments(Expr.Arguments arguments) {
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
      return bounded(function.call(this, arguments));
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
  static Object item(Object target, Object key) {
    if (target instanceof Undefined missing) {
      throw missing.used();
    }
    if (target instanceof Map<?, ?> map) {
      Object found = map.get(key);
      return found != null ? found : new Undefined("the mapping has no key " + Values.repr(key));
    }
    if ((target instanceof List || target instanceof String) && key instanceof Long index) {
      List<Object> elements = Values.elements(target);
      long at = index < 0 ? index + elements.size() : index;
      return at >= 0 && at < elements.size()
          ? elements.get((int) at)
          : new Undefined("there is no element " + index + " in " + elements.size());
    }
    if (key instanceof String name) {
      return attribute(target, name);
    }
    return new Undefined(Values.typeName(target) + " has no element " + Values.repr(key));
  }

  private Object slice(Expr.Slice slice) {
    Object target = value(slice.target());
    if (target instanceof Undefined missing) {
      throw missing.used();
    }
    return bounded(
        Values.slice(target, bound(slice.start()), bound(slice.stop()), bound(slice.step())));
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
      if (!Operators.compare(compare.operators().get(i), left, right)) {
        return false;
      }
      left = right;
    }
    return true;
  }
}
