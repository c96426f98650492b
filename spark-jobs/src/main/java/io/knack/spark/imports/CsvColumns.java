package io.knack.spark.imports;

import io.knack.contracts.stage.PlanException;
import io.knack.spark.imports.format.LogFormats;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;

/** Whether the plan's map fits the columns of CSV files, before anything is read. */
final class CsvColumns {
  private CsvColumns() {}

  /** CSV needs a map, and the map columns that are there. */
  static void check(ImportPlan plan, List<InputFile> files) throws IOException {
    List<String> problems = new ArrayList<>();
    for (InputFile file : files) {
      if (file.layout() != InputFile.Layout.CSV) {
        continue;
      }
      List<String> columns = new SliceReader(plan).header(file);
      if (plan.map().isEmpty() && LogFormats.exports(columns)) {
        continue;
      }
      if (plan.map().isEmpty()) {
        problems.add(
            file.source()
                + " is CSV: name the column of the prompt, as --map prompt=COLUMN; its columns are "
                + columns);
        continue;
      }
      new TreeMap<>(plan.map())
          .forEach(
              (field, column) -> {
                if (!columns.contains(column)
                    && !columns.contains(column.replaceFirst("[./].*", ""))) {
                  problems.add(
                      file.source()
                          + ": the map's "
                          + field
                          + "="
                          + column
                          + " is no column; its columns are "
                          + columns);
                }
              });
    }
    if (!problems.isEmpty()) {
      throw new PlanException(problems);
    }
  }
}
