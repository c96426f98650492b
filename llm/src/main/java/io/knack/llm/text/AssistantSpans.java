package io.knack.llm.text;

import io.knack.contracts.stage.ContractException;
import io.knack.llm.text.jinja.JinjaTemplate.Span;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;

/**
 * Finds the assistant's turns in a rendered conversation whose template does not mark them.
 *
 * <p>Where a turn starts: the text of the turns before it with an opened turn behind them, when the
 * conversation starts with that. Templates that render earlier turns differently once later ones
 * exist (Qwen3 drops the thinking of answered questions, Mistral moves the system's words) fail
 * this; then the turn starts behind the last header of an answer, learnt from a question alone, and
 * where there is none, where the rendering first differs from one in which the turn says something
 * else.
 *
 * <p>Where it ends: behind the template's end of turn, learnt from a two-turn conversation, without
 * the blanks behind it, which a model never generates. It is looked for between the last character
 * that depends on the turn and the first one that depends on the next turn.
 *
 * <p>Each turn costs at most three further renderings.
 */
final class AssistantSpans {
  /** Unlikely in text and without a meaning to any template. */
  private static final String MARK = "\ue000knack\ue001";

  private final BiFunction<List<Map<String, Object>>, Boolean, String> render;
  private final String origin;

  AssistantSpans(BiFunction<List<Map<String, Object>>, Boolean, String> render, String origin) {
    this.render = render;
    this.origin = origin;
  }

  List<Span> find(List<Map<String, Object>> messages, String whole) {
    List<Span> spans = new ArrayList<>();
    String end = null;
    int from = 0;
    for (int i = 0; i < messages.size(); i++) {
      if (!"assistant".equals(messages.get(i).get("role"))) {
        continue;
      }
      if (end == null) {
        end = endOfTurn();
      }
      Span span = turn(messages, i, whole, from, end);
      spans.add(span);
      from = span.end();
    }
    return spans;
  }

  private Span turn(List<Map<String, Object>> messages, int i, String whole, int from, String end) {
    String other = varied(messages, i);
    int differs = commonPrefix(whole, other);
    int same = commonSuffix(whole, other, differs);
    String opened = render.apply(messages.subList(0, i), true);
    int start =
        opened.length() >= from && opened.length() <= differs && whole.startsWith(opened)
            ? opened.length()
            : behindHeader(whole, from, differs);
    int bound = whole.length();
    if (i + 1 < messages.size()) {
      bound = commonPrefix(whole, varied(messages, i + 1));
    }
    int said = Math.max(start, whole.length() - same);
    if (start < from || said > bound) {
      throw hidden(i);
    }
    if (end.isEmpty()) {
      return new Span(start, said);
    }
    int at = whole.indexOf(end, said);
    if (at < 0 || at + end.length() > bound) {
      throw hidden(i);
    }
    return new Span(start, at + end.length());
  }

  private int behindHeader(String whole, int from, int differs) {
    String opened = render.apply(List.of(Map.of("role", "user", "content", MARK)), true);
    String header = opened.substring(opened.indexOf(MARK) + MARK.length());
    int at = whole.lastIndexOf(header, differs - header.length());
    return at < from || header.isEmpty() ? differs : at + header.length();
  }

  /** What follows an assistant's words, without trailing blanks. */
  private String endOfTurn() {
    String text =
        render.apply(
            List.of(
                Map.of("role", "user", "content", "?"),
                Map.of("role", "assistant", "content", MARK)),
            false);
    int at = text.indexOf(MARK);
    if (at < 0) {
      throw new ContractException(
          "the chat template of " + origin + " does not show what the assistant says");
    }
    return text.substring(at + MARK.length()).strip();
  }

  /** The conversation with one turn's words changed. */
  private String varied(List<Map<String, Object>> messages, int i) {
    Map<String, Object> words = new LinkedHashMap<>(messages.get(i));
    words.put("content", MARK);
    words.remove("tool_calls");
    try {
      return render.apply(with(messages, i, words), false);
    } catch (ContractException e) {
      if (!(messages.get(i).get("tool_calls") instanceof List<?> calls)) {
        throw e;
      }
      // Some templates want the answers of tools to follow calls: then the calls change too.
      Map<String, Object> turn = new LinkedHashMap<>(words);
      turn.put("tool_calls", calls.stream().map(AssistantSpans::changed).toList());
      return render.apply(with(messages, i, turn), false);
    }
  }

  private static List<Map<String, Object>> with(
      List<Map<String, Object>> messages, int i, Map<String, Object> turn) {
    List<Map<String, Object>> all = new ArrayList<>(messages);
    all.set(i, turn);
    return all;
  }

  private static Map<Object, Object> changed(@Nullable Object call) {
    Map<Object, Object> changed = new LinkedHashMap<>();
    if (call instanceof Map<?, ?> map) {
      changed.putAll(map);
      changed.put("function", Map.of("name", MARK, "arguments", Map.of()));
    }
    return changed;
  }

  private static int commonPrefix(String a, String b) {
    int most = Math.min(a.length(), b.length());
    int i = 0;
    while (i < most && a.charAt(i) == b.charAt(i)) {
      i++;
    }
    return i;
  }

  private static int commonSuffix(String a, String b, int prefix) {
    int most = Math.min(a.length(), b.length()) - prefix;
    int i = 0;
    while (i < most && a.charAt(a.length() - 1 - i) == b.charAt(b.length() - 1 - i)) {
      i++;
    }
    return i;
  }

  private ContractException hidden(int turn) {
    return new ContractException(
        "the chat template of "
            + origin
            + " renders turn "
            + turn
            + " so that the assistant's words cannot be told from the rest; mark them with"
            + " {% generation %} in the template");
  }
}
