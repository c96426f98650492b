package io.knack.llm.text.jinja;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Recursive descent over Jinja's grammar; precedence as in Jinja's own parser. */
final class Parser {
  private static final Set<String> TEST_ENDERS =
      Set.of("if", "else", "or", "and", "is", "not", "in");
  private static final Set<String> RESERVED =
      Set.of("true", "false", "none", "True", "False", "None");

  private final List<Token> tokens;
  private final int maxDepth;
  private int at;
  private int depth;
  private int loops;

  private Parser(List<Token> tokens, int maxDepth) {
    this.tokens = tokens;
    this.maxDepth = maxDepth;
  }

  static List<Node> parse(String template, int maxDepth) {
    Parser parser = new Parser(Lexer.tokenize(template), maxDepth);
    List<Node> nodes = parser.nodes(Set.of());
    if (parser.peek().type() != Token.Type.END) {
      throw TemplateException.syntax(
          parser.peek().line(), "'" + parser.peek(1).text() + "' closes nothing");
    }
    return nodes;
  }

  // Statements.

  /** Up to a block that starts with one of {@code enders}, which is not consumed. */
  private List<Node> nodes(Set<String> enders) {
    enter();
    List<Node> nodes = new ArrayList<>();
    while (true) {
      Token token = peek();
      switch (token.type()) {
        case DATA -> {
          next();
          nodes.add(new Node.Data(token.text()));
        }
        case VARIABLE_BEGIN -> {
          next();
          nodes.add(new Node.Output(tuple(), token.line()));
          expect(Token.Type.VARIABLE_END, "'}}'");
        }
        case BLOCK_BEGIN -> {
          String name = peek(1).text();
          if (enders.contains(name) || name.startsWith("end") || isBranch(name)) {
            leave();
            return nodes;
          }
          next();
          nodes.add(statement());
        }
        default -> {
          leave();
          return nodes;
        }
      }
    }
  }

  private static boolean isBranch(String name) {
    return name.equals("else") || name.equals("elif");
  }

  private Node statement() {
    Token name = expect(Token.Type.NAME, "the name of a tag");
    return switch (name.text()) {
      case "if" -> ifBlock();
      case "for" -> forBlock(name.line());
      case "set" -> set(name.line());
      case "macro" -> macro(name.line());
      case "call" -> callBlock(name.line());
      case "filter" -> filterBlock(name.line());
      case "with" -> with(name.line());
      case "generation" -> {
        endOfTag();
        yield new Node.Generation(bodyTo("endgeneration", name), name.line());
      }
      case "do" -> {
        Expr expression = tuple();
        endOfTag();
        yield new Node.Do(expression);
      }
      case "break", "continue" -> {
        if (loops == 0) {
          throw TemplateException.syntax(name.line(), "'" + name.text() + "' outside of a loop");
        }
        endOfTag();
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
    if (peek().type() == Token.Type.BLOCK_BEGIN && peek(1).isName(end)) {
      next();
      next();
      endOfTag();
      return;
    }
    String found = peek().type() == Token.Type.BLOCK_BEGIN ? peek(1).shown() : peek().shown();
    throw TemplateException.syntax(
        peek().line(), "'" + opener + "' of line " + line + " wants '" + end + "', found " + found);
  }

  private boolean blockIs(String name) {
    return peek().type() == Token.Type.BLOCK_BEGIN && peek(1).isName(name);
  }

  private Node ifBlock() {
    int line = peek().line();
    List<Node.Branch> branches = new ArrayList<>();
    List<Node> otherwise = List.of();
    Expr test = tuple();
    endOfTag();
    branches.add(new Node.Branch(test, nodes(Set.of("endif"))));
    while (blockIs("elif")) {
      next();
      next();
      Expr another = tuple();
      endOfTag();
      branches.add(new Node.Branch(another, nodes(Set.of("endif"))));
    }
    if (blockIs("else")) {
      next();
      next();
      endOfTag();
      otherwise = nodes(Set.of("endif"));
    }
    closeWith("endif", "if", line);
    return new Node.If(branches, otherwise);
  }

  private Node forBlock(int line) {
    Node.Target target = targets();
    if (!takeName("in")) {
      throw unexpected("'in'");
    }
    Expr iterable = tupleWithoutCondition();
    Expr filter = takeName("if") ? expression() : null;
    boolean recursive = takeName("recursive");
    endOfTag();
    loops++;
    List<Node> body = nodes(Set.of("endfor"));
    loops--;
    List<Node> otherwise = List.of();
    if (blockIs("else")) {
      next();
      next();
      endOfTag();
      otherwise = nodes(Set.of("endfor"));
    }
    closeWith("endfor", "for", line);
    return new Node.For(target, iterable, filter, body, otherwise, recursive, line);
  }

  private Node set(int line) {
    Node.Target target = targets();
    if (takeOperator("=")) {
      Expr value = tuple();
      endOfTag();
      return new Node.Set(target, value, line);
    }
    List<Node.FilterCall> filters = filterCalls();
    endOfTag();
    List<Node> body = nodes(Set.of("endset"));
    closeWith("endset", "set", line);
    return new Node.SetBlock(target, filters, body, line);
  }

  private List<Node.FilterCall> filterCalls() {
    List<Node.FilterCall> filters = new ArrayList<>();
    while (takeOperator("|")) {
      filters.add(filterCall());
    }
    return filters;
  }

  private Node.FilterCall filterCall() {
    Token name = expect(Token.Type.NAME, "the name of a filter");
    Filters.check(name.text(), name.line());
    Expr.Arguments arguments = peek().isOperator("(") ? arguments() : Expr.Arguments.NONE;
    return new Node.FilterCall(name.text(), arguments, name.line());
  }

  private Node.Target targets() {
    List<Node.Target> targets = new ArrayList<>();
    boolean several = false;
    do {
      if (takeOperator("(")) {
        targets.add(targets());
        expectOperator(")");
      } else {
        Token name = expect(Token.Type.NAME, "a name to assign to");
        if (RESERVED.contains(name.text())) {
          throw TemplateException.syntax(
              name.line(), "'" + name.text() + "' cannot be assigned to");
        }
        targets.add(
            takeOperator(".")
                ? new Node.Target.Field(name.text(), expect(Token.Type.NAME, "a name").text())
                : new Node.Target.Variable(name.text()));
      }
      boolean comma = takeOperator(",");
      several |= comma;
      if (!comma) {
        break;
      }
    } while (peek().type() == Token.Type.NAME || peek().isOperator("("));
    return several ? new Node.Target.Several(targets) : targets.get(0);
  }

  private Node macro(int line) {
    Token name = expect(Token.Type.NAME, "the macro's name");
    List<Node.Parameter> parameters = parameters();
    endOfTag();
    int outer = loops;
    loops = 0;
    List<Node> body = nodes(Set.of("endmacro"));
    loops = outer;
    closeWith("endmacro", "macro", line);
    return new Node.Macro(name.text(), parameters, body, line);
  }

  private List<Node.Parameter> parameters() {
    expectOperator("(");
    List<Node.Parameter> parameters = new ArrayList<>();
    while (!takeOperator(")")) {
      if (!parameters.isEmpty()) {
        expectOperator(",");
      }
      Token name = expect(Token.Type.NAME, "a parameter");
      parameters.add(new Node.Parameter(name.text(), takeOperator("=") ? expression() : null));
    }
    return parameters;
  }

  private Node callBlock(int line) {
    List<Node.Parameter> parameters = peek().isOperator("(") ? parameters() : List.of();
    if (!(expression() instanceof Expr.Call call)) {
      throw TemplateException.syntax(line, "'call' wants a call");
    }
    endOfTag();
    List<Node> body = nodes(Set.of("endcall"));
    closeWith("endcall", "call", line);
    return new Node.CallBlock(parameters, call, body, line);
  }

  private Node filterBlock(int line) {
    List<Node.FilterCall> filters = new ArrayList<>();
    filters.add(filterCall());
    filters.addAll(filterCalls());
    endOfTag();
    List<Node> body = nodes(Set.of("endfilter"));
    closeWith("endfilter", "filter", line);
    return new Node.FilterBlock(filters, body, line);
  }

  private Node with(int line) {
    List<Node.Target> targets = new ArrayList<>();
    List<Expr> values = new ArrayList<>();
    while (peek().type() != Token.Type.BLOCK_END) {
      if (!targets.isEmpty()) {
        expectOperator(",");
      }
      targets.add(new Node.Target.Variable(expect(Token.Type.NAME, "a name").text()));
      expectOperator("=");
      values.add(expression());
    }
    endOfTag();
    List<Node> body = nodes(Set.of("endwith"));
    closeWith("endwith", "with", line);
    return new Node.With(targets, values, body, line);
  }

  // Expressions, from the loosest to the tightest binding.

  private Expr tuple() {
    return tupleOf(true);
  }

  private Expr tupleWithoutCondition() {
    return tupleOf(false);
  }

  private Expr tupleOf(boolean conditions) {
    Expr first = conditions ? expression() : or();
    if (!peek().isOperator(",")) {
      return first;
    }
    List<Expr> elements = new ArrayList<>(List.of(first));
    while (takeOperator(",")) {
      Token token = peek();
      if (token.type() == Token.Type.BLOCK_END
          || token.type() == Token.Type.VARIABLE_END
          || token.isOperator(")")) {
        break;
      }
      elements.add(conditions ? expression() : or());
    }
    return new Expr.TupleOf(elements);
  }

  private Expr expression() {
    enter();
    Expr value = or();
    while (takeName("if")) {
      Expr test = or();
      Expr otherwise = takeName("else") ? expression() : null;
      value = new Expr.Conditional(test, value, otherwise);
    }
    leave();
    return value;
  }

  private Expr or() {
    Expr left = and();
    while (takeName("or")) {
      left = new Expr.Or(left, and());
    }
    return left;
  }

  private Expr and() {
    Expr left = not();
    while (takeName("and")) {
      left = new Expr.And(left, not());
    }
    return left;
  }

  private Expr not() {
    if (takeName("not")) {
      enter();
      Expr operand = not();
      leave();
      return new Expr.Not(operand);
    }
    return compare();
  }

  private Expr compare() {
    Expr first = sum();
    int line = peek().line();
    List<String> operators = new ArrayList<>();
    List<Expr> others = new ArrayList<>();
    while (true) {
      Token token = peek();
      String operator = null;
      if (token.type() == Token.Type.OPERATOR
          && Set.of("==", "!=", "<", "<=", ">", ">=").contains(token.text())) {
        operator = token.text();
        next();
      } else if (token.isName("in")) {
        operator = "in";
        next();
      } else if (token.isName("not") && peek(1).isName("in")) {
        operator = "not in";
        next();
        next();
      }
      if (operator == null) {
        return operators.isEmpty() ? first : new Expr.Compare(first, operators, others, line);
      }
      operators.add(operator);
      others.add(sum());
    }
  }

  private Expr sum() {
    Expr left = concat();
    while (peek().isOperator("+") || peek().isOperator("-")) {
      Token operator = next();
      left = new Expr.Binary(operator.text(), left, concat(), operator.line());
    }
    return left;
  }

  private Expr concat() {
    Expr first = product();
    if (!peek().isOperator("~")) {
      return first;
    }
    List<Expr> parts = new ArrayList<>(List.of(first));
    while (takeOperator("~")) {
      parts.add(product());
    }
    return new Expr.Concat(parts);
  }

  private Expr product() {
    Expr left = power();
    while (peek().type() == Token.Type.OPERATOR
        && Set.of("*", "/", "//", "%").contains(peek().text())) {
      Token operator = next();
      left = new Expr.Binary(operator.text(), left, power(), operator.line());
    }
    return left;
  }

  private Expr power() {
    Expr left = unary(Filtered.YES);
    while (peek().isOperator("**")) {
      Token operator = next();
      left = new Expr.Binary("**", left, unary(Filtered.YES), operator.line());
    }
    return left;
  }

  /** Whether filters and tests bind to the operand at hand: not below a sign. */
  private enum Filtered {
    YES,
    NO
  }

  private Expr unary(Filtered filtered) {
    Token token = peek();
    Expr value;
    if (token.isOperator("-") || token.isOperator("+")) {
      next();
      enter();
      value = new Expr.Unary(token.text(), unary(Filtered.NO), token.line());
      leave();
    } else {
      value = postfix(primary());
    }
    return filtered == Filtered.YES ? filtersAndTests(value) : value;
  }

  private Expr primary() {
    Token token = next();
    return switch (token.type()) {
      case NAME ->
          switch (token.text()) {
            case "true", "True" -> new Expr.Literal(true);
            case "false", "False" -> new Expr.Literal(false);
            case "none", "None" -> new Expr.Literal(None.NONE);
            default -> new Expr.Name(token.text(), token.line());
          };
      case STRING -> {
        StringBuilder text = new StringBuilder(token.text());
        while (peek().type() == Token.Type.STRING) {
          text.append(next().text());
        }
        yield new Expr.Literal(text.toString());
      }
      case INTEGER -> {
        try {
          yield new Expr.Literal(Long.valueOf(token.text()));
        } catch (NumberFormatException e) {
          throw TemplateException.syntax(
              token.line(), "the number " + token.text() + " is too big");
        }
      }
      case FLOAT -> new Expr.Literal(Double.valueOf(token.text()));
      case OPERATOR ->
          switch (token.text()) {
            case "(" -> parenthesized();
            case "[" -> new Expr.ListOf(elementsTo("]"));
            case "{" -> dict();
            default -> throw unexpected(token, "a value");
          };
      default -> throw unexpected(token, "a value");
    };
  }

  private Expr parenthesized() {
    if (takeOperator(")")) {
      return new Expr.TupleOf(List.of());
    }
    Expr inner = tuple();
    expectOperator(")");
    return inner;
  }

  private List<Expr> elementsTo(String end) {
    List<Expr> elements = new ArrayList<>();
    while (!takeOperator(end)) {
      if (!elements.isEmpty()) {
        expectOperator(",");
        if (takeOperator(end)) {
          break;
        }
      }
      elements.add(expression());
    }
    return elements;
  }

  private Expr dict() {
    List<Expr> keys = new ArrayList<>();
    List<Expr> values = new ArrayList<>();
    while (!takeOperator("}")) {
      if (!keys.isEmpty()) {
        expectOperator(",");
        if (takeOperator("}")) {
          break;
        }
      }
      keys.add(expression());
      expectOperator(":");
      values.add(expression());
    }
    return new Expr.DictOf(keys, values);
  }

  private Expr postfix(Expr target) {
    Expr value = target;
    while (true) {
      Token token = peek();
      if (token.isOperator(".")) {
        next();
        Token name = next();
        value =
            switch (name.type()) {
              case NAME -> new Expr.Attribute(value, name.text(), name.line());
              case INTEGER ->
                  new Expr.Item(value, new Expr.Literal(Long.valueOf(name.text())), name.line());
              default -> throw unexpected(name, "an attribute's name");
            };
      } else if (token.isOperator("[")) {
        next();
        value = subscript(value, token.line());
      } else if (token.isOperator("(")) {
        value = new Expr.Call(value, arguments(), token.line());
      } else {
        return value;
      }
    }
  }

  private Expr subscript(Expr target, int line) {
    Expr start = peek().isOperator(":") ? null : tuple();
    if (start != null && takeOperator("]")) {
      return new Expr.Item(target, start, line);
    }
    expectOperator(":");
    Expr stop = peek().isOperator(":") || peek().isOperator("]") ? null : expression();
    Expr step = null;
    if (takeOperator(":") && !peek().isOperator("]")) {
      step = expression();
    }
    expectOperator("]");
    return new Expr.Slice(target, start, stop, step, line);
  }

  private Expr.Arguments arguments() {
    expectOperator("(");
    List<Expr> positional = new ArrayList<>();
    List<Expr.Keyword> named = new ArrayList<>();
    boolean first = true;
    while (!takeOperator(")")) {
      if (!first) {
        expectOperator(",");
        if (takeOperator(")")) {
          break;
        }
      }
      first = false;
      if (peek().isOperator("*") || peek().isOperator("**")) {
        throw TemplateException.unsupported(peek().line(), "argument form '" + peek().text() + "'");
      }
      if (peek().type() == Token.Type.NAME && peek(1).isOperator("=")) {
        String name = next().text();
        next();
        named.add(new Expr.Keyword(name, expression()));
      } else if (named.isEmpty()) {
        positional.add(expression());
      } else {
        throw TemplateException.syntax(peek().line(), "a positional argument after a named one");
      }
    }
    return new Expr.Arguments(positional, named);
  }

  private Expr filtersAndTests(Expr target) {
    Expr value = target;
    while (true) {
      Token token = peek();
      if (token.isOperator("|")) {
        next();
        Node.FilterCall filter = filterCall();
        value = new Expr.Filter(value, filter.name(), filter.arguments(), filter.line());
      } else if (token.isName("is")) {
        next();
        value = test(value);
      } else if (token.isOperator("(")) {
        value = new Expr.Call(value, arguments(), token.line());
      } else {
        return value;
      }
    }
  }

  private Expr test(Expr target) {
    boolean negated = takeName("not");
    Token name = expect(Token.Type.NAME, "the name of a test");
    Tests.check(name.text(), name.line());
    Token token = peek();
    Expr.Arguments arguments = Expr.Arguments.NONE;
    if (token.isOperator("(")) {
      arguments = arguments();
    } else if (token.type() == Token.Type.STRING
        || token.type() == Token.Type.INTEGER
        || token.type() == Token.Type.FLOAT
        || token.isOperator("[")
        || token.isOperator("{")
        || (token.type() == Token.Type.NAME && !TEST_ENDERS.contains(token.text()))) {
      arguments = new Expr.Arguments(List.of(postfix(primary())), List.of());
    }
    Expr test = new Expr.Test(target, name.text(), arguments, name.line());
    return negated ? new Expr.Not(test) : test;
  }

  // Tokens.

  private Token peek() {
    return tokens.get(at);
  }

  private Token peek(int ahead) {
    return tokens.get(Math.min(at + ahead, tokens.size() - 1));
  }

  private Token next() {
    Token token = tokens.get(at);
    if (at < tokens.size() - 1) {
      at++;
    }
    return token;
  }

  private boolean takeOperator(String text) {
    if (peek().isOperator(text)) {
      next();
      return true;
    }
    return false;
  }

  private boolean takeName(String text) {
    if (peek().isName(text)) {
      next();
      return true;
    }
    return false;
  }

  private void expectOperator(String text) {
    if (!takeOperator(text)) {
      throw unexpected("'" + text + "'");
    }
  }

  private Token expect(Token.Type type, String wanted) {
    if (peek().type() != type) {
      throw unexpected(wanted);
    }
    return next();
  }

  private void endOfTag() {
    expect(Token.Type.BLOCK_END, "'%}'");
  }

  private TemplateException unexpected(String wanted) {
    return unexpected(peek(), wanted);
  }

  private static TemplateException unexpected(Token found, String wanted) {
    return TemplateException.syntax(
        found.line(), "expected " + wanted + ", found " + found.shown());
  }

  private void enter() {
    if (++depth > maxDepth) {
      throw TemplateException.limit(
          "line " + peek().line() + ": nested deeper than " + maxDepth + " levels");
    }
  }

  private void leave() {
    depth--;
  }
}
