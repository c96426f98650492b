package io.knack.llm.text.jinja;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;

/** Walks the statements of one template once. */
final class Interpreter {
  private enum Flow {
    NEXT,
    BREAK,
    CONTINUE
  }

  private final Meter meter;
  private final Evaluation run;
  private final StringBuilder page = new StringBuilder();
  private final List<JinjaTemplate.Span> generated = new ArrayList<>();
  private StringBuilder out = page;

  Interpreter(Limits limits, Map<String, Object> globals, LongSupplier nanos) {
    this.meter = new Meter(limits, nanos);
    Scope outermost = new Scope(null);
    outermost.names.putAll(globals);
    this.run = new Evaluation(meter, new Scope(outermost));
  }

  JinjaTemplate.Rendered run(List<Node> template) {
    all(template);
    return new JinjaTemplate.Rendered(page.toString(), List.copyOf(generated));
  }

  private void emit(String text) {
    meter.checkOutput(out.length(), text);
    out.append(text);
  }

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
    meter.step();
    if (node instanceof Node.Data data) {
      emit(data.text());
    } else if (node instanceof Node.Output output) {
      located(output.line(), () -> emit(Values.text(meter, run.value(output.expression()))));
    } else if (node instanceof Node.If choice) {
      for (Node.Branch branch : choice.branches()) {
        if (Values.truth(run.value(branch.test()))) {
          return all(branch.body());
        }
      }
      return all(choice.otherwise());
    } else if (node instanceof Node.For loop) {
      return loop(loop, run.value(loop.iterable()), 0);
    } else if (node instanceof Node.Set set) {
      located(set.line(), () -> assign(set.target(), run.value(set.value())));
    } else if (node instanceof Node.SetBlock set) {
      String text = captured(set.body(), new Scope(run.scope));
      located(set.line(), () -> assign(set.target(), filtered(text, set.filters())));
    } else if (node instanceof Node.Macro macro) {
      run.scope.names.put(macro.name(), macro(macro.name(), macro.parameters(), macro.body()));
    } else if (node instanceof Node.CallBlock block) {
      callBlock(block);
    } else if (node instanceof Node.FilterBlock block) {
      String text = captured(block.body(), new Scope(run.scope));
      located(block.line(), () -> emit(Values.text(meter, filtered(text, block.filters()))));
    } else if (node instanceof Node.With with) {
      return with(with);
    } else if (node instanceof Node.Generation generation) {
      return generation(generation);
    } else if (node instanceof Node.Do statement) {
      run.value(statement.expression());
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
    Scope outer = run.scope;
    run.scope = inner;
    try {
      return all(body);
    } finally {
      run.scope = outer;
    }
  }

  private String captured(List<Node> body, Scope inner) {
    StringBuilder outer = out;
    out = new StringBuilder();
    try {
      within(inner, body);
      meter.makeText(out.length());
      return out.toString();
    } finally {
      out = outer;
    }
  }

  private Object filtered(Object value, List<Node.FilterCall> filters) {
    Object result = value;
    for (Node.FilterCall filter : filters) {
      result = Filters.apply(run, filter.name(), result, run.arguments(filter.arguments()));
    }
    return result;
  }

  private Flow with(Node.With with) {
    Scope inner = new Scope(run.scope);
    for (int i = 0; i < with.targets().size(); i++) {
      if (with.targets().get(i) instanceof Node.Target.Variable variable) {
        inner.names.put(variable.name(), run.value(with.values().get(i)));
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
    Flow flow = within(new Scope(run.scope), generation.body());
    generated.add(new JinjaTemplate.Span(start, page.length()));
    return flow;
  }

  private void assign(Node.Target target, Object value) {
    if (target instanceof Node.Target.Variable variable) {
      run.scope.names.put(variable.name(), value);
    } else if (target instanceof Node.Target.Field field) {
      if (!(run.scope.find(field.namespace()) instanceof Namespace namespace)) {
        throw TemplateException.value(
            "'"
                + field.namespace()
                + "' is no namespace, so '"
                + field.name()
                + "' cannot be assigned in it");
      }
      namespace.fields.put(JinjaGlobals.publicName(field.name()), value);
    } else if (target instanceof Node.Target.Several several) {
      List<Object> values = Values.elements(meter, value);
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
    Loop loop =
        new Loop(
            elements,
            level,
            node.recursive() ? inner -> captured(() -> loop(node, inner, level + 1)) : null);
    // Jinja's 'else' runs unless one turn got to its end, which 'break' and 'continue' prevent.
    boolean completed = false;
    for (int i = 0; i < elements.size(); i++) {
      meter.step();
      loop.at = i;
      Scope inner = new Scope(run.scope);
      inner.names.put("loop", loop);
      Scope outer = run.scope;
      run.scope = inner;
      try {
        int at = i;
        located(node.line(), () -> assign(node.target(), elements.get(at)));
        Flow flow = all(node.body());
        completed |= flow == Flow.NEXT;
        if (flow == Flow.BREAK) {
          break;
        }
      } finally {
        run.scope = outer;
      }
    }
    return completed ? Flow.NEXT : within(new Scope(run.scope), node.otherwise());
  }

  private List<Object> elementsOf(Node.For node, Object iterable) {
    List<Object> elements;
    try {
      elements = Values.elements(meter, iterable);
    } catch (TemplateException e) {
      throw e.at(node.line());
    }
    Expr filter = node.filter();
    if (filter == null) {
      return elements;
    }
    List<Object> chosen = new ArrayList<>();
    Scope outer = run.scope;
    for (Object element : elements) {
      meter.step();
      run.scope = new Scope(outer);
      try {
        assign(node.target(), element);
        if (Values.truth(run.value(filter))) {
          chosen.add(element);
        }
      } finally {
        run.scope = outer;
      }
    }
    return chosen;
  }

  private String captured(Runnable body) {
    meter.enter();
    StringBuilder outer = out;
    out = new StringBuilder();
    try {
      body.run();
      meter.makeText(out.length());
      return out.toString();
    } finally {
      out = outer;
      meter.leave();
    }
  }

  private Callable macro(String name, List<Node.Parameter> parameters, List<Node> body) {
    Scope defined = run.scope;
    return (caller, arguments) -> {
      Scope inner = new Scope(defined);
      Map<String, Object> named = new HashMap<>(arguments.named());
      Object callerBlock = named.remove("caller");
      if (callerBlock != null) {
        inner.names.put("caller", callerBlock);
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
      meter.enter();
      try {
        return captured(body, inner);
      } finally {
        meter.leave();
      }
    };
  }

  private Object standard(Node.Parameter parameter, Scope inner) {
    Expr standard = parameter.standard();
    if (standard == null) {
      return new Undefined("the parameter '" + parameter.name() + "' was not given");
    }
    Scope outer = run.scope;
    run.scope = inner;
    try {
      return run.value(standard);
    } finally {
      run.scope = outer;
    }
  }

  private void callBlock(Node.CallBlock block) {
    located(
        block.line(),
        () -> {
          Callable.Arguments given = run.arguments(block.call().arguments());
          Map<String, Object> named = new LinkedHashMap<>(given.named());
          named.put("caller", macro("caller", block.parameters(), block.body()));
          Object text =
              run.call(
                  run.value(block.call().target()),
                  new Callable.Arguments(given.positional(), named));
          emit(Values.text(meter, text));
        });
  }
}
