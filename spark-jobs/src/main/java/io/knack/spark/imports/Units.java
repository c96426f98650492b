package io.knack.spark.imports;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import io.knack.contracts.Interaction;
import io.knack.contracts.Quarantined;
import io.knack.contracts.store.Digests;
import io.knack.contracts.store.Salt;
import io.knack.contracts.table.Tables;
import io.knack.spark.frame.RowCodec;
import io.knack.spark.imports.format.Draft;
import io.knack.spark.imports.format.LogFormats;
import io.knack.spark.imports.format.LogReader;
import io.knack.spark.imports.format.MappedLog;
import io.knack.spark.imports.format.Unreadable;
import io.knack.spark.imports.scrub.Scrubber;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.jspecify.annotations.Nullable;

/**
 * What records become: rows of one schema, of which each is an interaction, a line in quarantine,
 * something ignored, or a part that waits for others of its key.
 */
final class Units {
  static final String INTERACTION = "interaction";
  static final String QUARANTINE = "quarantine";
  static final String IGNORED = "ignored";

  /** A record that is an interaction once its sides are known. */
  static final String KEYED = "keyed";

  /** A record that says something of interactions elsewhere. */
  static final String SIDE = "side";

  private static final RowCodec<Interaction> INTERACTIONS = RowCodec.of(Tables.INTERACTIONS);
  private static final RowCodec<Quarantined> QUARANTINED = RowCodec.of(Tables.QUARANTINE);

  static final StructType SCHEMA =
      new StructType()
          .add("kind", DataTypes.StringType, false)
          .add("file", DataTypes.IntegerType, false)
          .add("line", DataTypes.LongType, false)
          .add("part", DataTypes.IntegerType, false)
          .add("version", DataTypes.LongType, false)
          .add("undated", DataTypes.BooleanType, false)
          .add("join_key", DataTypes.StringType, true)
          .add("raw", DataTypes.StringType, true)
          .add("reason", DataTypes.StringType, true)
          .add("interaction", INTERACTIONS.schema(), true)
          .add("quarantined", QUARANTINED.schema(), true);

  private final @Nullable LogReader fixed;
  private final Finisher finisher;

  Units(ImportPlan plan, Salt salt) {
    LogReader named = LogFormats.named(plan.format().name().toLowerCase(Locale.ROOT));
    fixed = plan.map().isEmpty() ? named : new MappedLog(plan.map());
    finisher = new Finisher(new Scrubber(plan.phoneRegions(), plan.patterns()), salt);
  }

  /** The units of one record. */
  void of(InputFile file, RawRecord record, Consumer<Row> sink) {
    Place place =
        new Place(file.number(), file.source(), record.line(), record.offset(), record.digest());
    JsonNode value = record.value();
    if (value == null) {
      sink.accept(quarantine(place, 0, String.valueOf(record.problem())));
      return;
    }
    Collector collector = new Collector(place, value, sink);
    try {
      LogReader reader = fixed == null ? LogFormats.recognised(value) : fixed;
      if (fixed != null && !fixed.recognises(value)) {
        collector.unreadable("record has not the shape of the named format");
      } else {
        reader.read(value, collector);
        collector.end();
      }
    } catch (Unreadable e) {
      collector.unreadable(e.reason());
    } catch (RuntimeException e) {
      collector.unreadable("reader failed: " + e.getClass().getSimpleName());
    }
  }

  /** The units of all records of one key, in any order. */
  List<Row> joined(String key, List<Row> rows) {
    List<Row> keyed = new ArrayList<>();
    List<Row> sideRows = new ArrayList<>();
    rows.forEach(row -> (row.getString(0).equals(KEYED) ? keyed : sideRows).add(row));
    sideRows.sort(Units::byPlace);
    keyed.sort(Units::byPlace);
    List<JsonNode> sides = sideRows.stream().map(row -> json(row.getAs("raw"))).toList();
    List<Row> units = new ArrayList<>();
    for (Row row : keyed) {
      Place place = Place.of(row);
      JsonNode record = json(row.getAs("raw"));
      try {
        LogReader reader = fixed == null ? LogFormats.recognised(record) : fixed;
        List<Draft> drafts = new ArrayList<>();
        reader.read(record, new DraftsOnly(drafts));
        LogFormats.join(drafts.get(0), sides);
        units.add(interaction(place, 0, drafts.get(0)));
      } catch (Unreadable e) {
        units.add(quarantine(place, 0, e.reason()));
      } catch (RuntimeException e) {
        units.add(quarantine(place, 0, "reader failed: " + e.getClass().getSimpleName()));
      }
    }
    for (int i = 0; i < sideRows.size(); i++) {
      Place place = Place.of(sideRows.get(i));
      try {
        List<Draft> alone = keyed.isEmpty() ? LogFormats.alone(key, sides.get(i)) : List.of();
        for (Draft draft : alone) {
          units.add(interaction(place, 0, draft));
        }
        if (alone.isEmpty()) {
          units.add(ignored(place, 0));
        }
      } catch (Unreadable e) {
        units.add(quarantine(place, 0, e.reason()));
      } catch (RuntimeException e) {
        units.add(quarantine(place, 0, "reader failed: " + e.getClass().getSimpleName()));
      }
    }
    return units;
  }

  private static int byPlace(Row a, Row b) {
    int files = Integer.compare(a.getInt(1), b.getInt(1));
    return files != 0 ? files : Long.compare(a.getLong(2), b.getLong(2));
  }

  private static JsonNode json(String raw) {
    try {
      return SliceReader.JSON.readTree(raw);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("JSON that was written here", e);
    }
  }

  /** Where a record stands. */
  private record Place(int file, String source, long line, long offset, String digest) {
    /** Of a row that waits: its place rides in the quarantine column. */
    static Place of(Row row) {
      Quarantined at = QUARANTINED.fromRow(row.getAs("quarantined"));
      return new Place(row.getInt(1), at.source(), at.line(), at.byteOffset(), at.rawDigest());
    }

    Row column(String reason) {
      return QUARANTINED.toRow(new Quarantined(source, line, offset, reason, digest));
    }
  }

  private final class Collector implements LogReader.Sink {
    private final Place place;
    private final JsonNode record;
    private final Consumer<Row> sink;
    private int part;

    Collector(Place place, JsonNode record, Consumer<Row> sink) {
      this.place = place;
      this.record = record;
      this.sink = sink;
    }

    @Override
    public void interaction(Draft draft) {
      if (draft.joinKey != null) {
        waiting(KEYED, draft.joinKey, record);
        return;
      }
      try {
        sink.accept(Units.this.interaction(place, part, draft));
        part++;
      } catch (Unreadable e) {
        unreadable(e.reason());
      }
    }

    @Override
    public void ignored() {
      sink.accept(Units.ignored(place, part++));
    }

    @Override
    public void unreadable(String reason) {
      sink.accept(quarantine(place, part++, reason));
    }

    @Override
    public void side(String key, JsonNode side) {
      waiting(SIDE, key, side);
    }

    /** A record that holds nothing at all is ignored, not lost. */
    void end() {
      if (part == 0) {
        ignored();
      }
    }

    private void waiting(String kind, String key, JsonNode raw) {
      sink.accept(
          RowFactory.create(
              kind,
              place.file(),
              place.line(),
              part++,
              0L,
              false,
              key,
              raw.toString(),
              null,
              null,
              place.column("")));
    }
  }

  /** Reads a record again, when its sides are known. */
  private record DraftsOnly(List<Draft> drafts) implements LogReader.Sink {
    @Override
    public void interaction(Draft draft) {
      drafts.add(draft);
    }

    @Override
    public void ignored() {}

    @Override
    public void unreadable(String reason) {}

    @Override
    public void side(String key, JsonNode side) {}
  }

  private Row interaction(Place place, int part, Draft draft) throws Unreadable {
    String fallback =
        Digests.sha256(place.digest() + ":" + place.line() + ":" + part).substring(0, 32);
    Interaction interaction = finisher.finish(draft, fallback);
    return RowFactory.create(
        INTERACTION,
        place.file(),
        place.line(),
        part,
        draft.version,
        draft.occurredAt == null,
        null,
        null,
        null,
        INTERACTIONS.toRow(interaction),
        null);
  }

  private static Row quarantine(Place place, int part, String reason) {
    return RowFactory.create(
        QUARANTINE,
        place.file(),
        place.line(),
        part,
        0L,
        false,
        null,
        null,
        reason,
        null,
        place.column(reason));
  }

  private static Row ignored(Place place, int part) {
    return RowFactory.create(
        IGNORED, place.file(), place.line(), part, 0L, false, null, null, null, null, null);
  }
}
