package io.knack.contracts.show;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.PrintWriter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** JSON objects as a table for the eye: a column a field, long values cut. */
final class TextTable {
  private static final int MOST = 32;

  private TextTable() {}

  static void print(PrintWriter out, List<JsonNode> rows) {
    if (rows.isEmpty()) {
      out.println("(no rows)");
      return;
    }
    Map<String, Integer> widths = new LinkedHashMap<>();
    for (JsonNode row : rows) {
      row.fieldNames()
          .forEachRemaining(
              name ->
                  widths.merge(name, Math.max(name.length(), cell(row, name).length()), Math::max));
    }
    StringBuilder header = new StringBuilder();
    widths.forEach((name, width) -> header.append(pad(name, width)).append("  "));
    out.println(header.toString().stripTrailing());
    for (JsonNode row : rows) {
      StringBuilder line = new StringBuilder();
      widths.forEach((name, width) -> line.append(pad(cell(row, name), width)).append("  "));
      out.println(line.toString().stripTrailing());
    }
  }

  private static String cell(JsonNode row, String name) {
    JsonNode value = row.path(name);
    String text =
        value.isNull() || value.isMissingNode()
            ? ""
            : value.isValueNode() ? value.asText() : value.toString();
    String line = text.replaceAll("\\p{Cntrl}", " ");
    return line.length() <= MOST ? line : line.substring(0, MOST - 1) + "…";
  }

  private static String pad(String text, int width) {
    return text + " ".repeat(Math.max(0, width - text.length()));
  }
}
