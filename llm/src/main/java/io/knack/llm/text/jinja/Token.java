package io.knack.llm.text.jinja;

/**
 * A lexical unit.
 *
 * @param text the token's text; a string literal's value for {@link Type#STRING}
 */
record Token(Type type, String text, int line) {
  enum Type {
    /** Text outside of all tags. */
    DATA,
    VARIABLE_BEGIN,
    VARIABLE_END,
    BLOCK_BEGIN,
    BLOCK_END,
    NAME,
    STRING,
    INTEGER,
    FLOAT,
    OPERATOR,
    END
  }

  boolean is(Type wanted, String wantedText) {
    return type == wanted && text.equals(wantedText);
  }

  boolean isOperator(String wanted) {
    return is(Type.OPERATOR, wanted);
  }

  boolean isName(String wanted) {
    return is(Type.NAME, wanted);
  }

  String shown() {
    return switch (type) {
      case END -> "the end of the template";
      case BLOCK_END -> "'%}'";
      case VARIABLE_END -> "'}}'";
      default -> "'" + text + "'";
    };
  }
}
