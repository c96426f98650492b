package io.knack.llm.text.jinja;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** A statement. */
sealed interface Node {
  record Data(String text) implements Node {}

  record Output(Expr expression, int line) implements Node {}

  record If(List<Branch> branches, List<Node> otherwise) implements Node {}

  record Branch(Expr test, List<Node> body) {}

  record For(
      Target target,
      Expr iterable,
      @Nullable Expr filter,
      List<Node> body,
      List<Node> otherwise,
      boolean recursive,
      int line)
      implements Node {}

  record Set(Target target, Expr value, int line) implements Node {}

  record SetBlock(Target target, List<FilterCall> filters, List<Node> body, int line)
      implements Node {}

  record Macro(String name, List<Parameter> parameters, List<Node> body, int line)
      implements Node {}

  record Parameter(String name, @Nullable Expr standard) {}

  record CallBlock(List<Parameter> parameters, Expr.Call call, List<Node> body, int line)
      implements Node {}

  record FilterBlock(List<FilterCall> filters, List<Node> body, int line) implements Node {}

  record FilterCall(String name, Expr.Arguments arguments, int line) {}

  record With(List<Target> targets, List<Expr> values, List<Node> body, int line) implements Node {}

  /** What the assistant says, marked for the trainer. */
  record Generation(List<Node> body, int line) implements Node {}

  record Do(Expr expression) implements Node {}

  record Break() implements Node {}

  record Continue() implements Node {}

  /** What is assigned to. */
  sealed interface Target {
    record Variable(String name) implements Target {}

    record Field(String namespace, String name) implements Target {}

    record Several(List<Target> targets) implements Target {}
  }
}
