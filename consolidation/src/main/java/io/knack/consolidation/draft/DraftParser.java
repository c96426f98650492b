package io.knack.consolidation.draft;

import io.knack.practice.prompt.PromptForm;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads drafts from a reply, strictly: what is not in the form that was asked for is no draft, and
 * a reply with anything beside its drafts is refused as a whole.
 */
public final class DraftParser {
  private static final Pattern FIELD = Pattern.compile("(WHEN|THEN|SCOPE):[ \\t]*(\\S[^\\r\\n]*)");
  private static final int MAX_REPLY = 20_000;

  private final PromptForm form;
  private final int maxRules;

  public DraftParser(PromptForm form, int maxRules) {
    this.form = form;
    this.maxRules = maxRules;
  }

  /** The drafts of a reply; empty when it is not in the form. */
  public Optional<List<Draft>> parse(String reply) {
    String text = reply.strip();
    if (text.isEmpty() || text.length() > MAX_REPLY) {
      return Optional.empty();
    }
    return switch (form) {
      case SHORT -> line(text);
      case INSTRUCT -> blocks(text);
    };
  }

  /** {@code WHEN => THEN} or {@code THEN} alone, in one line. */
  private static Optional<List<Draft>> line(String text) {
    if (text.lines().count() > 1) {
      return Optional.empty();
    }
    int arrow = text.indexOf("=>");
    if (arrow < 0) {
      return Optional.of(List.of(new Draft("", text, "")));
    }
    String when = text.substring(0, arrow).strip();
    String then = text.substring(arrow + 2).strip();
    return when.isEmpty() || then.isEmpty() || then.contains("=>")
        ? Optional.empty()
        : Optional.of(List.of(new Draft(when, then, "")));
  }

  private Optional<List<Draft>> blocks(String text) {
    List<Draft> drafts = new ArrayList<>();
    String when = "";
    String then = "";
    String scope = "";
    int expected = 0;
    for (String raw : text.split("\\R", -1)) {
      String line = raw.strip();
      if (line.isEmpty()) {
        continue;
      }
      Matcher field = FIELD.matcher(line);
      if (!field.matches()) {
        return Optional.empty();
      }
      String value = field.group(2).strip();
      switch (field.group(1)) {
        case "WHEN" -> {
          if (expected == 1) {
            return Optional.empty();
          }
          if (expected == 2) {
            drafts.add(new Draft(when, then, scope));
          }
          when = value;
          scope = "";
          expected = 1;
        }
        case "THEN" -> {
          if (expected != 1) {
            return Optional.empty();
          }
          then = value;
          expected = 2;
        }
        default -> {
          if (expected != 2 || !scope.isEmpty()) {
            return Optional.empty();
          }
          scope = value;
        }
      }
    }
    if (expected != 2) {
      return Optional.empty();
    }
    drafts.add(new Draft(when, then, scope));
    return drafts.size() > maxRules ? Optional.empty() : Optional.of(List.copyOf(drafts));
  }
}
