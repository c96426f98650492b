package io.knack.llm.text.jinja;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** An expression. */
sealed interface Expr {
  /** Arguments of a call, a filter or a test. */
  record Arguments(List<Expr> positional, List<Keyword> named) {
    static final Arguments NONE = new Arguments(List.of(), List.of());
  }

  record Keyword(String name, Expr value) {}

  record Literal(Object value) implements Expr {}

  record ListOf(List<Expr> elements) implements Expr {}

  record TupleOf(List<Expr> elements) implements Expr {}

  record DictOf(List<Expr> keys, List<Expr> values) implements Expr {}

  record Name(String name, int line) implements Expr {}

  record Attribute(Expr target, String name, int line) implements Expr {}

  record Item(Expr target, Expr key, int line) implements Expr {}

  record Slice(
      Expr target, @Nullable Expr start, @Nullable Expr stop, @Nullable Expr step, int line)
      implements Expr {}

  record Call(Expr target, Arguments arguments, int line) implements Expr {}

  record Filter(Expr target, String name, Arguments arguments, int line) implements Expr {}

  record Test(Expr target, String name, Arguments arguments, int line) implements Expr {}

  record Not(Expr operand) implements Expr {}

  record And(Expr left, Expr right) implements Expr {}

  record Or(Expr left, Expr right) implements Expr {}

  record Unary(String operator, Expr operand, int line) implements Expr {}

  record Binary(String operator, Expr left, Expr right, int line) implements Expr {}

  /** {@code a < b <= c}, each operand evaluated once. */
  record Compare(Expr first, List<String> operators, List<Expr> others, int line) implements Expr {}

  record Concat(List<Expr> parts) implements Expr {}

  record Conditional(Expr test, Expr then, @Nullable Expr otherwise) implements Expr {}
}
