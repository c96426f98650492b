package io.knack.spark.mine;

import io.knack.contracts.store.Digests;
import io.knack.practice.features.Words;
import io.knack.spark.frame.RowCodec;
import java.time.LocalDate;
import java.util.Iterator;
import java.util.NoSuchElementException;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.jspecify.annotations.Nullable;

/** Interactions as {@link SeenRow}s; only the columns that matter are read. */
final class SeenRows {
  /** The tenant of every node when tenants share. */
  static final String SHARED = "*";

  private SeenRows() {}

  static Dataset<Row> of(Dataset<Row> interactions, MinePlan plan) {
    boolean share = plan.shareAcrossTenants();
    boolean assume = plan.assumeDistinctSubjects();
    RowCodec<SeenRow> codec = RowCodec.of(SeenRow.OPEN);
    return interactions
        .selectExpr(
            "id",
            "tenant",
            "subject",
            "to_date(occurred_at) as day",
            "coalesce(try_element_at(filter(messages, m -> m.role = 'user'), -1).content, '')"
                + " as text",
            "cast(greatest(size(attempts), 1) as long) as attempts",
            "cast(case when exists(attempts, a -> a.outcome <> 'unknown')"
                + " then size(filter(attempts, a -> a.outcome <> 'unknown'))"
                + " when outcome <> 'unknown' then 1 else 0 end as long) as judged",
            "cast(case when exists(attempts, a -> a.outcome <> 'unknown')"
                + " then size(filter(attempts, a -> a.outcome = 'verified'))"
                + " when outcome = 'verified' then 1 else 0 end as long) as passed",
            "case when budget.completion_tokens > 0 then budget.completion_tokens"
                + " else aggregate(attempts, 0L, (s, a) -> s + a.completion_tokens) end as tokens")
        .mapPartitions(
            (MapPartitionsFunction<Row, Row>) rows -> new Reader(rows, codec, share, assume),
            codec.encoder());
  }

  static String key(String tenant, String text) {
    return Digests.sha256(tenant + "\n" + Words.signature(text)).substring(0, 32);
  }

  private static final class Reader implements Iterator<Row> {
    private final Iterator<Row> rows;
    private final RowCodec<SeenRow> codec;
    private final boolean share;
    private final boolean assume;

    Reader(Iterator<Row> rows, RowCodec<SeenRow> codec, boolean share, boolean assume) {
      this.rows = rows;
      this.codec = codec;
      this.share = share;
      this.assume = assume;
    }

    @Override
    public boolean hasNext() {
      return rows.hasNext();
    }

    @Override
    public Row next() {
      if (!rows.hasNext()) {
        throw new NoSuchElementException();
      }
      Row row = rows.next();
      String id = row.getString(0);
      String owner = row.getString(1);
      @Nullable String subject = row.getString(2);
      String tenant = share ? SHARED : owner;
      Object day = row.get(3);
      String text = row.getString(4);
      return codec.toRow(
          new SeenRow(
              id,
              tenant,
              owner,
              subject == null && assume ? id : subject,
              day instanceof java.sql.Date date ? date.toLocalDate() : (LocalDate) day,
              key(tenant, text),
              text,
              row.getLong(5),
              row.getLong(6),
              row.getLong(7),
              row.getLong(8)));
    }
  }
}
