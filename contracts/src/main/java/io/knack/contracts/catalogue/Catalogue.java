package io.knack.contracts.catalogue;

import io.knack.contracts.AdapterCard;
import io.knack.contracts.Manifest;
import io.knack.contracts.Report;
import io.knack.contracts.RuleEvent;
import io.knack.contracts.RuleSet;
import io.knack.contracts.stage.RunRecord;
import io.knack.contracts.store.ArtifactCard;
import io.knack.contracts.store.DurableFiles;
import io.knack.contracts.table.Shape;
import io.knack.contracts.table.Table;
import io.knack.contracts.table.Tables;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * Every contract, as files of the repository: {@code docs/contracts.md} and {@code
 * data/schemas/NAME.schema.json}. A test holds the files against the records.
 */
public final class Catalogue {
  /** JSON documents: where they lie, and their record. */
  static final Map<String, Class<? extends Record>> DOCUMENTS = new LinkedHashMap<>();

  static {
    DOCUMENTS.put("artifact", ArtifactCard.class);
    DOCUMENTS.put("run", RunRecord.class);
    DOCUMENTS.put("adapter_card", AdapterCard.class);
    DOCUMENTS.put("rules", RuleSet.class);
    DOCUMENTS.put("rule_event", RuleEvent.class);
    DOCUMENTS.put("report", Report.class);
    DOCUMENTS.put("manifest", Manifest.class);
  }

  private Catalogue() {}

  /** Path in the repository to content. */
  public static Map<String, String> files() {
    Map<String, String> files = new TreeMap<>();
    files.put("docs/contracts.md", page());
    DOCUMENTS.forEach(
        (name, type) ->
            files.put(
                "data/schemas/" + name + ".schema.json",
                JsonSchemas.of(type).toPrettyString() + "\n"));
    return files;
  }

  /** Writes the files; the argument is the repository's root. */
  public static void main(String[] arguments) throws IOException {
    for (Map.Entry<String, String> file : files().entrySet()) {
      DurableFiles.replace(Path.of(arguments[0]).resolve(file.getKey()), file.getValue());
    }
  }

  private static String page() {
    StringBuilder page = new StringBuilder();
    page.append(
        """
        # Contracts

        What flows between stages, made from the records in `contracts` (`Catalogue` writes this page). A column is the
        component's name in snake_case; ids are text, enums as listed, instants UTC microseconds. `?` marks what may be null.
        What each field means stands in the record's Javadoc.

        ## Tables (Parquet; `./knack show NAME`)
        """);
    for (Table<?> table : Tables.ALL) {
      page.append("\n### ").append(table.name()).append("\n\n| column | type |\n|---|---|\n");
      for (Shape.Field field : table.shape().fields()) {
        page.append("| ")
            .append(field.column())
            .append(" | ")
            .append(words(field.shape()))
            .append(field.nullable() ? "?" : "")
            .append(" |\n");
      }
    }
    page.append("\n## JSON documents\n\n| document | record | schema |\n|---|---|---|\n");
    DOCUMENTS.forEach(
        (name, type) ->
            page.append("| ")
                .append(name)
                .append(" | `")
                .append(type.getSimpleName())
                .append("` | [schema](../data/schemas/")
                .append(name)
                .append(".schema.json) |\n"));
    return page.toString();
  }

  private static String words(Shape shape) {
    if (shape instanceof Shape.Scalar scalar) {
      return scalar.kind().name().toLowerCase(Locale.ROOT);
    }
    if (shape instanceof Shape.ListOf list) {
      return "list of " + words(list.element());
    }
    if (shape instanceof Shape.MapOf map) {
      return "map of text to " + words(map.value());
    }
    StringBuilder fields = new StringBuilder("(");
    for (Shape.Field field : ((Shape.Struct) shape).fields()) {
      fields.append(fields.length() > 1 ? ", " : "").append(field.column());
      fields.append(' ').append(words(field.shape())).append(field.nullable() ? "?" : "");
    }
    return fields.append(')').toString();
  }
}
