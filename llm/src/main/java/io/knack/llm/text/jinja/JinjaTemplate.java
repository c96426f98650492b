package io.knack.llm.text.jinja;

import java.time.Clock;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A parsed template; immutable, for any number of threads. */
public final class JinjaTemplate {
  private final List<Node> nodes;
  private final Limits limits;
  private final Clock clock;

  private JinjaTemplate(List<Node> nodes, Limits limits, Clock clock) {
    this.nodes = nodes;
    this.limits = limits;
    this.clock = clock;
  }

  /**
   * @param clock what {@code strftime_now} tells the time by
   * @throws TemplateException where the text is wrong or has something unknown in it, used or not
   */
  public static JinjaTemplate parse(String template, Limits limits, Clock clock) {
    if (template.length() > limits.characters()) {
      throw TemplateException.limit("a template of " + template.length() + " characters");
    }
    try {
      return new JinjaTemplate(Parser.parse(template, limits.depth()), limits, clock);
    } catch (StackOverflowError e) {
      throw TemplateException.limit("nested too deep");
    }
  }

  /**
   * Renders with these variables: null, booleans, numbers, strings, and maps and lists of them.
   *
   * @throws TemplateException where a value does not fit, a limit is reached, or the template
   *     itself refuses
   */
  public Rendered render(Map<String, ? extends @Nullable Object> variables) {
    Map<String, Object> globals = new HashMap<>(JinjaGlobals.functions(clock));
    variables.forEach((name, value) -> globals.put(name, Values.of(value)));
    try {
      return new Interpreter(limits, globals, System::nanoTime).run(nodes);
    } catch (StackOverflowError e) {
      throw TemplateException.limit("nested too deep");
    }
  }

  /**
   * @param generated what stood in {@code {% generation %}} blocks, in order
   */
  public record Rendered(String text, List<Span> generated) {}

  /** From {@code start} to before {@code end}, in UTF-16 units of the rendered text. */
  public record Span(int start, int end) {}
}
