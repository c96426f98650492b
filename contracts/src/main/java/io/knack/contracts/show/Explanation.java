package io.knack.contracts.show;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * One thing and what it came from.
 *
 * @param kind what it is, as {@code adapter}
 * @param id names it
 * @param facts figures, digests, verdicts; in the order in which they are read
 * @param from what was behind it
 */
public record Explanation(
    String kind, String id, Map<String, @Nullable Object> facts, List<Explanation> from) {
  /** An explanation being put together. */
  static final class Builder {
    private final String kind;
    private final String id;
    private final Map<String, @Nullable Object> facts = new LinkedHashMap<>();
    private final List<Explanation> from = new ArrayList<>();

    Builder(String kind, String id) {
      this.kind = kind;
      this.id = id;
    }

    /** Left out when there is nothing to say. */
    Builder fact(String name, @Nullable Object value) {
      if (value != null) {
        facts.put(name, value);
      }
      return this;
    }

    Builder from(@Nullable Explanation cause) {
      if (cause != null) {
        from.add(cause);
      }
      return this;
    }

    Builder from(List<Explanation> causes) {
      from.addAll(causes);
      return this;
    }

    Explanation build() {
      return new Explanation(kind, id, facts, List.copyOf(from));
    }
  }

  /** As a tree for the eye. */
  void print(PrintWriter out) {
    print(out, "", "");
  }

  private void print(PrintWriter out, String first, String rest) {
    out.println(first + kind + " " + id);
    String bar = from.isEmpty() ? "  " : "| ";
    facts.forEach((name, value) -> out.println(rest + bar + name + ": " + value));
    for (int i = 0; i < from.size(); i++) {
      boolean last = i == from.size() - 1;
      from.get(i).print(out, rest + (last ? "`- " : "|- "), rest + (last ? "   " : "|  "));
    }
  }
}
