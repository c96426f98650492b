package io.knack.llm.text.jinja;

import java.util.List;

/** A walk along the tokens of a template, with the depth of what is being read. */
final class Tokens {
  private final List<Token> tokens;
  private final int maxDepth;
  private int at;
  private int depth;

  Tokens(List<Token> tokens, int maxDepth) {
    this.tokens = tokens;
    this.maxDepth = maxDepth;
  }

  Token peek() {
    return tokens.get(at);
  }

  Token peek(int ahead) {
    return tokens.get(Math.min(at + ahead, tokens.size() - 1));
  }

  Token next() {
    Token token = tokens.get(at);
    if (at < tokens.size() - 1) {
      at++;
    }
    return token;
  }

  boolean takeOperator(String text) {
    if (peek().isOperator(text)) {
      next();
      return true;
    }
    return false;
  }

  boolean takeName(String text) {
    if (peek().isName(text)) {
      next();
      return true;
    }
    return false;
  }

  void expectOperator(String text) {
    if (!takeOperator(text)) {
      throw unexpected("'" + text + "'");
    }
  }

  Token expect(Token.Type type, String wanted) {
    if (peek().type() != type) {
      throw unexpected(wanted);
    }
    return next();
  }

  void endOfTag() {
    expect(Token.Type.BLOCK_END, "'%}'");
  }

  TemplateException unexpected(String wanted) {
    return unexpected(peek(), wanted);
  }

  static TemplateException unexpected(Token found, String wanted) {
    return TemplateException.syntax(
        found.line(), "expected " + wanted + ", found " + found.shown());
  }

  void enter() {
    if (++depth > maxDepth) {
      throw TemplateException.limit(
          "line " + peek().line() + ": nested deeper than " + maxDepth + " levels");
    }
  }

  void leave() {
    depth--;
  }
}
