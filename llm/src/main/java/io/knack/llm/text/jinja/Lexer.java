package io.knack.llm.text.jinja;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * Cuts a template into tokens, with white space handled as Jinja does under {@code trim_blocks} and
 * {@code lstrip_blocks}: a block or comment takes the newline behind it and the blanks before it on
 * its line, {@code -} takes all white space on its side, {@code +} takes none.
 */
final class Lexer {
  private static final List<String> OPERATORS =
      List.of(
          "==", "!=", "<=", ">=", "//", "**", "+", "-", "*", "/", "%", "~", "(", ")", "[", "]", "{",
          "}", "<", ">", "=", ".", ":", "|", ",");

  private final String source;
  private final List<Token> tokens = new ArrayList<>();
  private int at;
  private int line = 1;

  private Lexer(String source) {
    this.source = source;
  }

  static List<Token> tokenize(String template) {
    String text = template.replace("\r\n", "\n").replace('\r', '\n');
    // Jinja's keep_trailing_newline is off.
    return new Lexer(text.endsWith("\n") ? text.substring(0, text.length() - 1) : text).run();
  }

  private List<Token> run() {
    boolean lineStarting = true;
    while (at < source.length()) {
      int tag = nextTag(at);
      if (tag < 0) {
        data(source.substring(at));
        advance(source.length());
        break;
      }
      char kind = source.charAt(tag + 1);
      char sign = tag + 2 < source.length() ? source.charAt(tag + 2) : ' ';
      String before = source.substring(at, tag);
      if (sign == '-') {
        before = strippedTrailing(before);
      } else if (sign != '+' && kind != '{') {
        before = withoutIndent(before, lineStarting);
      }
      data(before);
      advance(tag + (sign == '-' || sign == '+' ? 3 : 2));
      switch (kind) {
        case '#' -> comment();
        case '{' -> {
          add(Token.Type.VARIABLE_BEGIN, "{{");
          code("}}", Token.Type.VARIABLE_END);
        }
        default -> {
          add(Token.Type.BLOCK_BEGIN, "{%");
          code("%}", Token.Type.BLOCK_END);
          rawText();
        }
      }
      lineStarting = at > 0 && source.charAt(at - 1) == '\n';
    }
    add(Token.Type.END, "");
    return tokens;
  }

  private int nextTag(int from) {
    for (int i = source.indexOf('{', from); i >= 0; i = source.indexOf('{', i + 1)) {
      if (i + 1 < source.length() && "{%#".indexOf(source.charAt(i + 1)) >= 0) {
        return i;
      }
    }
    return -1;
  }

  private static String strippedTrailing(String text) {
    int end = text.length();
    while (end > 0 && Methods.isSpace(text.charAt(end - 1))) {
      end--;
    }
    return text.substring(0, end);
  }

  private static String withoutIndent(String text, boolean lineStarting) {
    int start = text.lastIndexOf('\n') + 1;
    boolean blank = text.substring(start).isBlank();
    return blank && (start > 0 || lineStarting) ? text.substring(0, start) : text;
  }

  private void comment() {
    int end = source.indexOf("#}", at);
    if (end < 0) {
      throw TemplateException.syntax(line, "the comment is not closed with '#}'");
    }
    char sign = source.charAt(end - 1);
    advance(end + 2);
    behindTag(sign);
  }

  private void behindTag(char sign) {
    if (sign == '-') {
      while (at < source.length() && Methods.isSpace(source.charAt(at))) {
        advance(at + 1);
      }
    } else if (sign != '+' && at < source.length() && source.charAt(at) == '\n') {
      advance(at + 1);
    }
  }

  /** What follows {@code {% raw %}} is data up to {@code {% endraw %}}. */
  private void rawText() {
    int size = tokens.size();
    if (size < 3
        || !tokens.get(size - 2).isName("raw")
        || tokens.get(size - 3).type() != Token.Type.BLOCK_BEGIN) {
      return;
    }
    tokens.subList(size - 3, size).clear();
    java.util.regex.Matcher end =
        java.util.regex.Pattern.compile("\\{%([-+]?)\\s*endraw\\s*([-+]?)%\\}").matcher(source);
    if (!end.find(at)) {
      throw TemplateException.syntax(line, "'raw' is not closed with 'endraw'");
    }
    String text = source.substring(at, end.start());
    String sign = end.group(1);
    if (sign.equals("-")) {
      text = strippedTrailing(text);
    } else if (sign.isEmpty()) {
      text = withoutIndent(text, false);
    }
    data(text);
    advance(end.end());
    behindTag(end.group(2).isEmpty() ? ' ' : end.group(2).charAt(0));
  }

  private void code(String end, Token.Type endType) {
    Deque<Character> open = new ArrayDeque<>();
    while (true) {
      while (at < source.length() && Character.isWhitespace(source.charAt(at))) {
        advance(at + 1);
      }
      if (at >= source.length()) {
        throw TemplateException.syntax(line, "the tag is not closed with '" + end + "'");
      }
      char c = source.charAt(at);
      if (open.isEmpty() && closes(end, endType)) {
        return;
      }
      if (c == '"' || c == '\'') {
        string(c);
      } else if (Character.isDigit(c)) {
        number();
      } else if (Character.isJavaIdentifierStart(c) && c != '$') {
        int stop = at;
        while (stop < source.length()
            && Character.isJavaIdentifierPart(source.charAt(stop))
            && source.charAt(stop) != '$') {
          stop++;
        }
        add(Token.Type.NAME, source.substring(at, stop));
        advance(stop);
      } else {
        operator(open);
      }
    }
  }

  private boolean closes(String end, Token.Type endType) {
    boolean signed =
        (source.charAt(at) == '-' || source.charAt(at) == '+') && source.startsWith(end, at + 1);
    if (!signed && !source.startsWith(end, at)) {
      return false;
    }
    add(endType, end);
    char sign = signed ? source.charAt(at) : ' ';
    advance(at + (signed ? 3 : 2));
    boolean raw = tokens.get(tokens.size() - 2).isName("raw"); // Takes no newline with it.
    if ((endType == Token.Type.BLOCK_END && !raw) || sign == '-') {
      behindTag(sign);
    }
    return true;
  }

  private void operator(Deque<Character> open) {
    for (String operator : OPERATORS) {
      if (source.startsWith(operator, at)) {
        char c = operator.charAt(0);
        if (c == '(' || c == '[' || c == '{') {
          open.push(c == '(' ? ')' : c == '[' ? ']' : '}');
        } else if (c == ')' || c == ']' || c == '}') {
          if (open.isEmpty() || open.pop() != c) {
            throw TemplateException.syntax(line, "'" + c + "' closes nothing");
          }
        }
        add(Token.Type.OPERATOR, operator);
        advance(at + operator.length());
        return;
      }
    }
    throw TemplateException.syntax(line, "unexpected character '" + source.charAt(at) + "'");
  }

  private void number() {
    int stop = digits(at);
    boolean real = false;
    if (stop + 1 < source.length()
        && source.charAt(stop) == '.'
        && Character.isDigit(source.charAt(stop + 1))) {
      real = true;
      stop = digits(stop + 1);
    }
    if (stop < source.length() && (source.charAt(stop) == 'e' || source.charAt(stop) == 'E')) {
      int exponent = stop + 1;
      if (exponent < source.length() && "+-".indexOf(source.charAt(exponent)) >= 0) {
        exponent++;
      }
      if (exponent < source.length() && Character.isDigit(source.charAt(exponent))) {
        real = true;
        stop = digits(exponent);
      }
    }
    add(real ? Token.Type.FLOAT : Token.Type.INTEGER, source.substring(at, stop).replace("_", ""));
    advance(stop);
  }

  private int digits(int from) {
    int stop = from;
    while (stop < source.length()
        && (Character.isDigit(source.charAt(stop)) || source.charAt(stop) == '_')) {
      stop++;
    }
    return stop;
  }

  private void string(char quote) {
    StringBuilder value = new StringBuilder();
    int start = line;
    int i = at + 1;
    while (i < source.length() && source.charAt(i) != quote) {
      char c = source.charAt(i);
      if (c != '\\' || i + 1 >= source.length()) {
        value.append(c);
        i++;
        continue;
      }
      char escaped = source.charAt(i + 1);
      i += 2;
      switch (escaped) {
        case 'n' -> value.append('\n');
        case 't' -> value.append('\t');
        case 'r' -> value.append('\r');
        case 'b' -> value.append('\b');
        case 'f' -> value.append('\f');
        case 'a' -> value.append((char) 7);
        case 'v' -> value.append((char) 11);
        case '0', '1', '2', '3', '4', '5', '6', '7' -> i = octal(i - 1, value);
        case '\\', '\'', '"' -> value.append(escaped);
        case '\n' -> {}
        case 'x' -> i = hex(i, 2, value);
        case 'u' -> i = hex(i, 4, value);
        case 'U' -> i = hex(i, 8, value);
        default -> value.append('\\').append(escaped);
      }
    }
    if (i >= source.length()) {
      throw TemplateException.syntax(start, "the string is not closed with " + quote);
    }
    add(Token.Type.STRING, value.toString());
    advance(i + 1);
  }

  private int octal(int from, StringBuilder value) {
    int stop = from;
    int code = 0;
    while (stop < Math.min(from + 3, source.length())
        && "01234567".indexOf(source.charAt(stop)) >= 0) {
      code = 8 * code + Character.digit(source.charAt(stop++), 8);
    }
    value.append((char) code);
    return stop;
  }

  private int hex(int from, int digits, StringBuilder value) {
    if (from + digits > source.length()) {
      throw TemplateException.syntax(line, "an escape needs " + digits + " hexadecimal digits");
    }
    try {
      value.appendCodePoint(Integer.parseInt(source.substring(from, from + digits), 16));
    } catch (IllegalArgumentException e) {
      throw TemplateException.syntax(line, "an escape needs " + digits + " hexadecimal digits");
    }
    return from + digits;
  }

  private void data(String text) {
    if (!text.isEmpty()) {
      add(Token.Type.DATA, text);
    }
  }

  private void add(Token.Type type, String text) {
    tokens.add(new Token(type, text, line));
  }

  private void advance(int to) {
    for (int i = at; i < to; i++) {
      if (source.charAt(i) == '\n') {
        line++;
      }
    }
    at = to;
  }
}
