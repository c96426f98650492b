package io.knack.llm.text.jinja;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Recursive descent over Jinja's statements. */
final class Parser {
  private static final Set<String> RESERVED =
      Set.of("true", "false", "none", "True", "False", "None");

  private final Tokens tokens;
  private final ExpressionParser expressions;
  private int loops;

  private Parser(Tokens tokens) {
    this.tokens = tokens;
    this.expressions = new ExpressionParser(tokens);
  }

  static List<Node> parse(String template, int maxDepth) {
    Tokens tokens = new Tokens(Lexer.tokenize(template), maxDepth);
    Parser parser = new Parser(tokens);
    List<Node> nodes = parser.nodes(Set.of());
    if (tokens.peek().type() != Token.Type.END) {
      throw TemplateException.syntax(
          tokens.peek().line(), "'" + tokens.peek(1).text() + "' closes nothing");
    }
    return nodes;
  }

  /** Up to a block that starts with one of {@code enders}, which is not consumed. */
  private List<Node> nodes(Set<String> enders) {
    tokens.enter();
    List<Node> nodes = new ArrayList<>();
    while (true) {
      Token token = tokens.peek();
      switch (token.type()) {
        case DATA -> {
          tokens.next();
          nodes.add(new Node.Data(token.text()));
        }
        case VARIABLE_BEGIN -> {
          tokens.next();
          nodes.add(new Node.Output(expressions.tuple(), token.line()));
          tokens.expect(Token.Type.VARIABLE_END, "'}}'");
        }
        case BLOCK_BEGIN -> {
          String name = tokens.peek(1).text();
          if (enders.contains(name) || name.startsWith("end") || isBranch(name)) {
            tokens.leave();
            return nodes;
          }
          tokens.next();
          nodes.add(statement());
        }
        default -> {
          tokens.leave();
          return nodes;
        }
      }
    }
  }

  private static boolean isBranch(String name) {
    return name.equals("else") || name.equals("elif");
  }

  private Node statement() {
    Token name = tokens.expect(Token.Type.NAME, "the name of a tag");
    return switch (name.text()) {
      case "if" -> ifBlock();
      case "for" -> forBlock(name.line());
      case "set" -> set(name.line());
      case "macro" -> macro(name.line());
      case "call" -> callBlock(name.line());
      case "filter" -> filterBlock(name.line());
      case "with" -> with(name.line());
      case "generation" -> {
        tokens.endOfTag();
        yield new Node.Generation(bodyTo("endgeneration", name), name.line());
      }
      case "do" -> {
        Expr expression = expressions.tuple();
        tokens.endOfTag();
        yield new Node.Do(expression);
      }
      case "break", "continue" -> {
        if (loops == 0) {
          throw TemplateException.syntax(name.line(), "'" + name.text() + "' outside of a loop");
        }
        tokens.endOfTag();
        yield name.text().equals("break") ? new Node.Break() : new Node.Continue();
      }
      default -> throw TemplateException.unsupported(name.line(), "tag '" + name.text() + "'");
    };
  }

  private List<Node> bodyTo(String end, Token opener) {
    List<Node> body = nodes(Set.of(end));
    closeWith(end, opener.text(), opener.line());
    return body;
  }

  private void closeWith(String end, String opener, int line) {
    if (tokens.peek().type() == Token.Type.BLOCK_BEGIN && tokens.peek(1).isName(end)) {
      tokens.next();
      tokens.next();
      tokens.endOfTag();
      return;
    }
    String found =
        tokens.peek().type() == Token.Type.BLOCK_BEGIN
            ? tokens.peek(1).shown()
            : tokens.peek().shown();
    throw TemplateException.syntax(
        tokens.peek().line(),
        "'" + opener + "' of line " + line + " wants '" + end + "', found " + found);
  }

  private boolean blockIs(String name) {
    return tokens.peek().type() == Token.Type.BLOCK_BEGIN && tokens.peek(1).isName(name);
  }

  private Node ifBlock() {
    int line = tokens.peek().line();
    List<Node.Branch> branches = new ArrayList<>();
    List<Node> otherwise = List.of();
    Expr test = expressions.tuple();
    tokens.endOfTag();
    branches.add(new Node.Branch(test, nodes(Set.of("endif"))));
    while (blockIs("elif")) {
      tokens.next();
      tokens.next();
      Expr another = expressions.tuple();
      tokens.endOfTag();
      branches.add(new Node.Branch(another, nodes(Set.of("endif"))));
    }
    if (blockIs("else")) {
      tokens.next();
      tokens.next();
      tokens.endOfTag();
      otherwise = nodes(Set.of("endif"));
    }
    closeWith("endif", "if", line);
    return new Node.If(branches, otherwise);
  }

  private Node forBlock(int line) {
    Node.Target target = targets();
    if (!tokens.takeName("in")) {
      throw tokens.unexpected("'in'");
    }
    Expr iterable = expressions.tupleWithoutCondition();
    Expr filter = tokens.takeName("if") ? expressions.expression() : null;
    boolean recursive = tokens.takeName("recursive");
    tokens.endOfTag();
    loops++;
    List<Node> body = nodes(Set.of("endfor"));
    loops--;
    List<Node> otherwise = List.of();
    if (blockIs("else")) {
      tokens.next();
      tokens.next();
      tokens.endOfTag();
      otherwise = nodes(Set.of("endfor"));
    }
    closeWith("endfor", "for", line);
    return new Node.For(target, iterable, filter, body, otherwise, recursive, line);
  }

  private Node set(int line) {
    Node.Target target = targets();
    if (tokens.takeOperator("=")) {
      Expr value = expressions.tuple();
      tokens.endOfTag();
      return new Node.Set(target, value, line);
    }
    List<Node.FilterCall> filters = expressions.filterCalls();
    tokens.endOfTag();
    List<Node> body = nodes(Set.of("endset"));
    closeWith("endset", "set", line);
    return new Node.SetBlock(target, filters, body, line);
  }

  private Node.Target targets() {
    List<Node.Target> targets = new ArrayList<>();
    boolean several = false;
    do {
      if (tokens.takeOperator("(")) {
        targets.add(targets());
        tokens.expectOperator(")");
      } else {
        Token name = tokens.expect(Token.Type.NAME, "a name to assign to");
        if (RESERVED.contains(name.text())) {
          throw TemplateException.syntax(
              name.line(), "'" + name.text() + "' cannot be assigned to");
        }
        targets.add(
            tokens.takeOperator(".")
                ? new Node.Target.Field(
                    name.text(), tokens.expect(Token.Type.NAME, "a name").text())
                : new Node.Target.Variable(name.text()));
      }
      boolean comma = tokens.takeOperator(",");
      several |= comma;
      if (!comma) {
        break;
      }
    } while (tokens.peek().type() == Token.Type.NAME || tokens.peek().isOperator("("));
    return several ? new Node.Target.Several(targets) : targets.get(0);
  }

  private Node macro(int line) {
    Token name = tokens.expect(Token.Type.NAME, "the macro's name");
    List<Node.Parameter> parameters = parameters();
    tokens.endOfTag();
    int outer = loops;
    loops = 0;
    List<Node> body = nodes(Set.of("endmacro"));
    loops = outer;
    closeWith("endmacro", "macro", line);
    return new Node.Macro(name.text(), parameters, body, line);
  }

  private List<Node.Parameter> parameters() {
    tokens.expectOperator("(");
    List<Node.Parameter> parameters = new ArrayList<>();
    while (!tokens.takeOperator(")")) {
      if (!parameters.isEmpty()) {
        tokens.expectOperator(",");
      }
      Token name = tokens.expect(Token.Type.NAME, "a parameter");
      parameters.add(
          new Node.Parameter(
              name.text(), tokens.takeOperator("=") ? expressions.expression() : null));
    }
    return parameters;
  }

  private Node callBlock(int line) {
    List<Node.Parameter> parameters = tokens.peek().isOperator("(") ? parameters() : List.of();
    if (!(expressions.expression() instanceof Expr.Call call)) {
      throw TemplateException.syntax(line, "'call' wants a call");
    }
    tokens.endOfTag();
    List<Node> body = nodes(Set.of("endcall"));
    closeWith("endcall", "call", line);
    return new Node.CallBlock(parameters, call, body, line);
  }

  private Node filterBlock(int line) {
    List<Node.FilterCall> filters = new ArrayList<>();
    filters.add(expressions.filterCall());
    filters.addAll(expressions.filterCalls());
    tokens.endOfTag();
    List<Node> body = nodes(Set.of("endfilter"));
    closeWith("endfilter", "filter", line);
    return new Node.FilterBlock(filters, body, line);
  }

  private Node with(int line) {
    List<Node.Target> targets = new ArrayList<>();
    List<Expr> values = new ArrayList<>();
    while (tokens.peek().type() != Token.Type.BLOCK_END) {
      if (!targets.isEmpty()) {
        tokens.expectOperator(",");
      }
      targets.add(new Node.Target.Variable(tokens.expect(Token.Type.NAME, "a name").text()));
      tokens.expectOperator("=");
      values.add(expressions.expression());
    }
    tokens.endOfTag();
    List<Node> body = nodes(Set.of("endwith"));
    closeWith("endwith", "with", line);
    return new Node.With(targets, values, body, line);
  }
}
