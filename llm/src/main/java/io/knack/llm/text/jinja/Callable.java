package io.knack.llm.text.jinja;

import java.util.List;
import java.util.Map;
import java.util.Set;

/** A function, bound method or macro. */
@FunctionalInterface
interface Callable {
  Object call(Evaluation run, Arguments arguments);

  /** Evaluated arguments. */
  record Arguments(List<Object> positional, Map<String, Object> named) {
    static final Arguments NONE = new Arguments(List.of(), Map.of());

    static Arguments of(Object... positional) {
      return new Arguments(List.of(positional), Map.of());
    }

    /** Refuses arguments beyond these names; positional ones fill them in order. */
    Arguments allow(String what, String... names) {
      if (positional.size() > names.length) {
        throw TemplateException.value(
            what + " takes at most " + names.length + " arguments, found " + positional.size());
      }
      for (String name : named.keySet()) {
        if (!Set.of(names).contains(name)) {
          throw new TemplateException(
              TemplateException.Kind.UNSUPPORTED, "unknown argument '" + name + "' of " + what);
        }
      }
      return this;
    }

    Object get(int position, String name, Object otherwise) {
      return position < positional.size()
          ? positional.get(position)
          : named.getOrDefault(name, otherwise);
    }

    Object required(int position, String name) {
      Object value = get(position, name, None.NONE);
      if (position >= positional.size() && !named.containsKey(name)) {
        throw TemplateException.value("the argument '" + name + "' is missing");
      }
      return value;
    }

    String text(int position, String name, String otherwise) {
      return Values.string(get(position, name, otherwise));
    }

    long integer(int position, String name, long otherwise) {
      return Values.integer(get(position, name, otherwise));
    }

    boolean flag(int position, String name, boolean otherwise) {
      return Values.truth(get(position, name, otherwise));
    }
  }
}
