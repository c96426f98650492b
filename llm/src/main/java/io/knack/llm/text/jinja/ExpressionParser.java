package io.knack.llm.text.jinja;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Expressions, from the loosest to the tightest binding; precedence as in Jinja's own parser. */
final class ExpressionParser {
  private static final Set<String> TEST_ENDERS =
      Set.of("if", "else", "or", "and", "is", "not", "in");

  private final Tokens tokens;

  ExpressionParser(Tokens tokens) {
    this.tokens = tokens;
  }

  /** One expression, or several with commas between them. */
  Expr tuple() {
    return tupleOf(true);
  }

  /** The same, but an 'if' after it belongs to somebody else. */
  Expr tupleWithoutCondition() {
    return tupleOf(false);
  }

  private Expr tupleOf(boolean conditions) {
    Expr first = conditions ? expression() : or();
    if (!tokens.peek().isOperator(",")) {
      return first;
    }
    List<Expr> elements = new ArrayList<>(List.of(first));
    while (tokens.takeOperator(",")) {
      Token token = tokens.peek();
      if (token.type() == Token.Type.BLOCK_END
          || token.type() == Token.Type.VARIABLE_END
          || token.isOperator(")")) {
        break;
      }
      elements.add(conditions ? expression() : or());
    }
    return new Expr.TupleOf(elements);
  }

  Expr expression() {
    tokens.enter();
    Expr value = or();
    while (tokens.takeName("if")) {
      Expr test = or();
      Expr otherwise = tokens.takeName("else") ? expression() : null;
      value = new Expr.Conditional(test, value, otherwise);
    }
    tokens.leave();
    return value;
  }

  private Expr or() {
    Expr left = and();
    while (tokens.takeName("or")) {
      left = new Expr.Or(left, and());
    }
    return left;
  }

  private Expr and() {
    Expr left = not();
    while (tokens.takeName("and")) {
      left = new Expr.And(left, not());
    }
    return left;
  }

  private Expr not() {
    if (tokens.takeName("not")) {
      tokens.enter();
      Expr operand = not();
      tokens.leave();
      return new Expr.Not(operand);
    }
    return compare();
  }

  private Expr compare() {
    Expr first = sum();
    int line = tokens.peek().line();
    List<String> operators = new ArrayList<>();
    List<Expr> others = new ArrayList<>();
    while (true) {
      Token token = tokens.peek();
      String operator = null;
      if (token.type() == Token.Type.OPERATOR
          && Set.of("==", "!=", "<", "<=", ">", ">=").contains(token.text())) {
        operator = token.text();
        tokens.next();
      } else if (token.isName("in")) {
        operator = "in";
        tokens.next();
      } else if (token.isName("not") && tokens.peek(1).isName("in")) {
        operator = "not in";
        tokens.next();
        tokens.next();
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
    while (tokens.peek().isOperator("+") || tokens.peek().isOperator("-")) {
      Token operator = tokens.next();
      left = new Expr.Binary(operator.text(), left, concat(), operator.line());
    }
    return left;
  }

  private Expr concat() {
    Expr first = product();
    if (!tokens.peek().isOperator("~")) {
      return first;
    }
    List<Expr> parts = new ArrayList<>(List.of(first));
    while (tokens.takeOperator("~")) {
      parts.add(product());
    }
    return new Expr.Concat(parts);
  }

  private Expr product() {
    Expr left = power();
    while (tokens.peek().type() == Token.Type.OPERATOR
        && Set.of("*", "/", "//", "%").contains(tokens.peek().text())) {
      Token operator = tokens.next();
      left = new Expr.Binary(operator.text(), left, power(), operator.line());
    }
    return left;
  }

  private Expr power() {
    Expr left = unary(Filtered.YES);
    while (tokens.peek().isOperator("**")) {
      Token operator = tokens.next();
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
    Token token = tokens.peek();
    Expr value;
    if (token.isOperator("-") || token.isOperator("+")) {
      tokens.next();
      tokens.enter();
      value = new Expr.Unary(token.text(), unary(Filtered.NO), token.line());
      tokens.leave();
    } else {
      value = postfix(primary());
    }
    return filtered == Filtered.YES ? filtersAndTests(value) : value;
  }

  private Expr primary() {
    Token token = tokens.next();
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
        while (tokens.peek().type() == Token.Type.STRING) {
          text.append(tokens.next().text());
        }
        yield new Expr.Literal(text.toString());
      }
      case INTEGER -> integer(token);
      case FLOAT -> new Expr.Literal(Double.valueOf(token.text()));
      case OPERATOR ->
          switch (token.text()) {
            case "(" -> parenthesized();
            case "[" -> new Expr.ListOf(elementsTo("]"));
            case "{" -> dict();
            default -> throw Tokens.unexpected(token, "a value");
          };
      default -> throw Tokens.unexpected(token, "a value");
    };
  }

  private static Expr integer(Token token) {
    try {
      return new Expr.Literal(Long.valueOf(token.text()));
    } catch (NumberFormatException e) {
      throw TemplateException.syntax(token.line(), "the number " + token.text() + " is too big");
    }
  }

  private Expr parenthesized() {
    if (tokens.takeOperator(")")) {
      return new Expr.TupleOf(List.of());
    }
    Expr inner = tuple();
    tokens.expectOperator(")");
    return inner;
  }

  private List<Expr> elementsTo(String end) {
    List<Expr> elements = new ArrayList<>();
    while (!tokens.takeOperator(end)) {
      if (!elements.isEmpty()) {
        tokens.expectOperator(",");
        if (tokens.takeOperator(end)) {
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
    while (!tokens.takeOperator("}")) {
      if (!keys.isEmpty()) {
        tokens.expectOperator(",");
        if (tokens.takeOperator("}")) {
          break;
        }
      }
      keys.add(expression());
      tokens.expectOperator(":");
      values.add(expression());
    }
    return new Expr.DictOf(keys, values);
  }

  private Expr postfix(Expr target) {
    Expr value = target;
    while (true) {
      Token token = tokens.peek();
      if (token.isOperator(".")) {
        tokens.next();
        Token name = tokens.next();
        value =
            switch (name.type()) {
              case NAME -> new Expr.Attribute(value, name.text(), name.line());
              case INTEGER -> new Expr.Item(value, integer(name), name.line());
              default -> throw Tokens.unexpected(name, "an attribute's name");
            };
      } else if (token.isOperator("[")) {
        tokens.next();
        value = subscript(value, token.line());
      } else if (token.isOperator("(")) {
        value = new Expr.Call(value, arguments(), token.line());
      } else {
        return value;
      }
    }
  }

  private Expr subscript(Expr target, int line) {
    Expr start = tokens.peek().isOperator(":") ? null : tuple();
    if (start != null && tokens.takeOperator("]")) {
      return new Expr.Item(target, start, line);
    }
    tokens.expectOperator(":");
    Expr stop =
        tokens.peek().isOperator(":") || tokens.peek().isOperator("]") ? null : expression();
    Expr step = null;
    if (tokens.takeOperator(":") && !tokens.peek().isOperator("]")) {
      step = expression();
    }
    tokens.expectOperator("]");
    return new Expr.Slice(target, start, stop, step, line);
  }

  private Expr.Arguments arguments() {
    tokens.expectOperator("(");
    List<Expr> positional = new ArrayList<>();
    List<Expr.Keyword> named = new ArrayList<>();
    boolean first = true;
    while (!tokens.takeOperator(")")) {
      if (!first) {
        tokens.expectOperator(",");
        if (tokens.takeOperator(")")) {
          break;
        }
      }
      first = false;
      if (tokens.peek().isOperator("*") || tokens.peek().isOperator("**")) {
        throw TemplateException.unsupported(
            tokens.peek().line(), "argument form '" + tokens.peek().text() + "'");
      }
      if (tokens.peek().type() == Token.Type.NAME && tokens.peek(1).isOperator("=")) {
        String name = tokens.next().text();
        tokens.next();
        named.add(new Expr.Keyword(name, expression()));
      } else if (named.isEmpty()) {
        positional.add(expression());
      } else {
        throw TemplateException.syntax(
            tokens.peek().line(), "a positional argument after a named one");
      }
    }
    return new Expr.Arguments(positional, named);
  }

  private Expr filtersAndTests(Expr target) {
    Expr value = target;
    while (true) {
      Token token = tokens.peek();
      if (token.isOperator("|")) {
        tokens.next();
        Node.FilterCall filter = filterCall();
        value = new Expr.Filter(value, filter.name(), filter.arguments(), filter.line());
      } else if (token.isName("is")) {
        tokens.next();
        value = test(value);
      } else if (token.isOperator("(")) {
        value = new Expr.Call(value, arguments(), token.line());
      } else {
        return value;
      }
    }
  }

  private Expr test(Expr target) {
    boolean negated = tokens.takeName("not");
    Token name = tokens.expect(Token.Type.NAME, "the name of a test");
    Tests.check(name.text(), name.line());
    Token token = tokens.peek();
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

  /** Any number of filters, each behind its bar. */
  List<Node.FilterCall> filterCalls() {
    List<Node.FilterCall> filters = new ArrayList<>();
    while (tokens.takeOperator("|")) {
      filters.add(filterCall());
    }
    return filters;
  }

  Node.FilterCall filterCall() {
    Token name = tokens.expect(Token.Type.NAME, "the name of a filter");
    Filters.check(name.text(), name.line());
    Expr.Arguments arguments = tokens.peek().isOperator("(") ? arguments() : Expr.Arguments.NONE;
    return new Node.FilterCall(name.text(), arguments, name.line());
  }
}
