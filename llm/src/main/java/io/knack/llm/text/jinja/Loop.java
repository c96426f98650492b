package io.knack.llm.text.jinja;

import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The variable {@code loop}. */
final class Loop {
  private final List<Object> elements;
  private final int level;
  private final @Nullable Function<Object, String> recursion;
  private @Nullable List<Object> lastChanged;
  int at;

  Loop(List<Object> elements, int level, @Nullable Function<Object, String> recursion) {
    this.elements = elements;
    this.level = level;
    this.recursion = recursion;
  }

  @Nullable Object attribute(String name) {
    long size = elements.size();
    return switch (name) {
      case "index" -> at + 1L;
      case "index0" -> (long) at;
      case "revindex" -> size - at;
      case "revindex0" -> size - at - 1;
      case "first" -> at == 0;
      case "last" -> at == size - 1;
      case "length" -> size;
      case "depth" -> level + 1L;
      case "depth0" -> (long) level;
      case "previtem" -> at > 0 ? elements.get(at - 1) : new Undefined("there is no previous item");
      case "nextitem" ->
          at < size - 1 ? elements.get(at + 1) : new Undefined("there is no next item");
      case "cycle" ->
          (Callable)
              (run, arguments) -> {
                List<Object> choices = arguments.positional();
                if (choices.isEmpty()) {
                  throw TemplateException.value("loop.cycle wants arguments");
                }
                return choices.get(at % choices.size());
              };
      case "changed" ->
          (Callable)
              (run, arguments) -> {
                List<Object> last = lastChanged;
                lastChanged = arguments.positional();
                return last == null || !Values.equal(run.meter, last, arguments.positional());
              };
      default -> null;
    };
  }

  Object recurse(Callable.Arguments arguments) {
    Function<Object, String> again = recursion;
    if (again == null) {
      throw TemplateException.value("the loop is not 'recursive', so 'loop' cannot be called");
    }
    return again.apply(arguments.allow("loop", "iterable").required(0, "iterable"));
  }
}
