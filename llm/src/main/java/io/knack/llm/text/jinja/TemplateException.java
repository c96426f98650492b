package io.knack.llm.text.jinja;

import java.io.Serial;

/** A template cannot be parsed or rendered; the message names the line and the construct. */
public final class TemplateException extends RuntimeException {
  @Serial private static final long serialVersionUID = 1L;

  /** Whose mistake it is. */
  public enum Kind {
    /** The template's text. */
    SYNTAX,
    /** Something that Jinja may know and this interpreter does not. */
    UNSUPPORTED,
    /** A value does not fit. */
    VALUE,
    /** A limit was reached. */
    LIMIT,
    /** The template itself refused the conversation, by {@code raise_exception}. */
    RAISED
  }

  private final Kind kind;

  TemplateException(Kind kind, String message) {
    super(message);
    this.kind = kind;
  }

  static TemplateException syntax(int line, String message) {
    return new TemplateException(Kind.SYNTAX, "line " + line + ": " + message);
  }

  static TemplateException unsupported(int line, String what) {
    return new TemplateException(Kind.UNSUPPORTED, "line " + line + ": unknown " + what);
  }

  static TemplateException value(String message) {
    return new TemplateException(Kind.VALUE, message);
  }

  static TemplateException limit(String message) {
    return new TemplateException(Kind.LIMIT, message);
  }

  TemplateException at(int line) {
    String message = String.valueOf(getMessage());
    return message.startsWith("line ")
        ? this
        : new TemplateException(kind, "line " + line + ": " + message);
  }

  public Kind kind() {
    return kind;
  }
}
