package io.knack.spark.imports;

import io.knack.contracts.Interaction;
import io.knack.contracts.Quarantined;
import io.knack.contracts.plan.Plans;
import io.knack.contracts.store.Salt;
import io.knack.contracts.table.Tables;
import io.knack.spark.frame.RowCodec;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.catalyst.expressions.GenericRowWithSchema;

/** Reads inputs as the stage's tasks do, in this thread and without Spark. */
record Reading(List<Interaction> interactions, List<Quarantined> quarantined, int ignored) {
  private static final RowCodec<Interaction> INTERACTIONS = RowCodec.of(Tables.INTERACTIONS);
  private static final RowCodec<Quarantined> QUARANTINED = RowCodec.of(Tables.QUARANTINE);
  private static final Salt SALT = new Salt("0123456789abcdef".repeat(4));

  static Reading of(Path input, String... overrides) {
    List<String> all = new ArrayList<>(Arrays.asList(overrides));
    all.add("input=[\"" + input + "\"]");
    ImportPlan plan = Plans.read(ImportPlan.class, null, all);
    Units units = new Units(plan, SALT);
    List<Row> read = new ArrayList<>();
    try {
      List<InputFile> files = InputFiles.of(plan);
      CsvColumns.check(plan, files);
      for (InputFile file : files) {
        SliceReader.Steps steps = new SliceReader(plan).open(Slice.whole(file));
        boolean more = true;
        while (more) {
          more = steps.step(record -> units.of(file, record, read::add));
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Map<String, List<Row>> waiting = new TreeMap<>();
    List<Row> done = new ArrayList<>();
    for (Row row : read) {
      String key = row.getString(6);
      if (key == null) {
        done.add(row);
      } else {
        waiting.computeIfAbsent(key, k -> new ArrayList<>()).add(named(row));
      }
    }
    waiting.forEach((key, rows) -> done.addAll(units.joined(key, rows)));
    Reading reading = new Reading(new ArrayList<>(), new ArrayList<>(), 0);
    int ignored = 0;
    for (Row row : done) {
      switch (row.getString(0)) {
        case Units.INTERACTION -> reading.interactions.add(INTERACTIONS.fromRow(row.getStruct(9)));
        case Units.QUARANTINE -> reading.quarantined.add(QUARANTINED.fromRow(row.getStruct(10)));
        default -> ignored++;
      }
    }
    return new Reading(reading.interactions, reading.quarantined, ignored);
  }

  /** As it comes out of a data frame. */
  private static Row named(Row row) {
    Object[] values = new Object[row.size()];
    for (int i = 0; i < values.length; i++) {
      values[i] = row.get(i);
    }
    return new GenericRowWithSchema(values, Units.SCHEMA);
  }

  int records() {
    return interactions.size() + quarantined.size() + ignored;
  }

  Interaction of(String id) {
    return interactions.stream()
        .filter(interaction -> interaction.id().value().equals(id))
        .reduce((earlier, later) -> later)
        .orElseThrow(() -> new AssertionError("no interaction " + id));
  }

  List<String> pairs() {
    return interactions.stream().map(i -> i.problem() + " -> " + i.completion()).sorted().toList();
  }

  List<String> reasons() {
    return quarantined.stream().map(Quarantined::reason).sorted().toList();
  }
}
