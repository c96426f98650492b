package io.knack.spark.imports;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.date_format;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.max;

import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;

/** How many units of each kind there are; lines per file, for the times of the undated. */
record Counts(
    Map<String, Long> kinds,
    Map<String, Long> outcomes,
    long undated,
    Set<String> days,
    Map<Integer, Long> lastLines) {
  static Counts of(Dataset<Row> units) {
    Map<String, Long> kinds = new TreeMap<>();
    Map<String, Long> outcomes = new TreeMap<>();
    Set<String> days = new TreeSet<>();
    Map<Integer, Long> lastLines = new TreeMap<>();
    long undated = 0;
    Column day = date_format(col("interaction.occurred_at"), "yyyy-MM-dd");
    for (Row row :
        units
            .groupBy(
                col("file"),
                col("kind"),
                col("undated"),
                col("interaction.outcome").as("outcome"),
                day.as("day"))
            .agg(count(lit(1)).as("n"), max("line").as("last"))
            .collectAsList()) {
      long n = row.getLong(5);
      kinds.merge(row.getString(1), n, Long::sum);
      lastLines.merge(row.getInt(0), row.getLong(6), Math::max);
      if (row.getString(1).equals(Units.INTERACTION)) {
        outcomes.merge(row.getString(3), n, Long::sum);
        if (row.getBoolean(2)) {
          undated += n;
        } else {
          days.add(row.getString(4));
        }
      }
    }
    return new Counts(kinds, outcomes, undated, days, lastLines);
  }

  long of(String kind) {
    return kinds.getOrDefault(kind, 0L);
  }

  boolean waits() {
    return of(Units.KEYED) + of(Units.SIDE) > 0;
  }

  long total() {
    return of(Units.INTERACTION) + of(Units.QUARANTINE);
  }

  long ignored() {
    return of(Units.IGNORED);
  }

  long all() {
    return kinds.values().stream().mapToLong(Long::longValue).sum();
  }
}
