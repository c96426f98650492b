package io.knack.consolidation.draft;

import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What of a Markdown text is neither code nor mathematics. A fence that is never closed hides
 * nothing: what comes after it is prose.
 */
final class Prose {
  private static final Pattern FENCE = Pattern.compile("[ \\t>]*(`{3,}|~{3,}).*");
  private static final Pattern SPAN = Pattern.compile("(`+)[^`\\n]{1,400}\\1");

  /** LaTeX, as chat models write it. */
  private static final Pattern MATHEMATICS =
      Pattern.compile(
          "(?s)\\\\\\(.{1,2000}?\\\\\\)|\\\\\\[.{1,4000}?\\\\\\]|\\$\\$.{1,4000}?\\$\\$"
              + "|\\\\begin\\{(\\w{1,20}\\*?)\\}.{1,4000}?\\\\end\\{\\1\\}"
              + "|(?-s:\\$(?!\\s)[^$\\n]{1,200}(?<!\\s)\\$)");

  private Prose() {}

  /** Code and mathematics replaced by a blank each. */
  static String of(String text) {
    StringBuilder kept = new StringBuilder();
    List<String> lines = text.lines().toList();
    for (int i = 0; i < lines.size(); i++) {
      int end = end(lines, i);
      if (end > i) {
        i = end;
        kept.append(" \n");
      } else {
        kept.append(lines.get(i)).append('\n');
      }
    }
    String unfenced = SPAN.matcher(kept).replaceAll(" ");
    return MATHEMATICS.matcher(unfenced).replaceAll(" ");
  }

  /** The line that closes the fence which opens in this one; the line itself where none does. */
  private static int end(List<String> lines, int from) {
    Matcher opening = FENCE.matcher(lines.get(from));
    if (!opening.matches()) {
      return from;
    }
    String mark = opening.group(1);
    for (int i = from + 1; i < lines.size(); i++) {
      String line = lines.get(i).replace('>', ' ').strip();
      if (line.startsWith(mark) && line.chars().allMatch(c -> c == mark.charAt(0))) {
        return i;
      }
    }
    return from;
  }
}
