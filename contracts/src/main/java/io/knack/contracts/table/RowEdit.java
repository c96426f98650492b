package io.knack.contracts.table;

import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What an erasure does to the rows of a Parquet file, by column names. */
public interface RowEdit {
  /** One row, read by name; a column that the file lacks reads as null or empty. */
  interface Row {
    /** A text column. */
    @Nullable String text(String column);

    /** A column that is a list of texts. */
    List<String> texts(String column);
  }

  /** Whether the row stays. */
  boolean keeps(Row row);

  /** Columns that are lists of texts and may lose some. */
  default Set<String> lists() {
    return Set.of();
  }

  /** Whether an element of such a column stays. */
  default boolean keepsElement(Row row, String column, String element) {
    return true;
  }

  /** How many rows went, and how many list elements in rows that stayed. */
  record Count(long rows, long elements) {
    public static final Count NONE = new Count(0, 0);

    public boolean any() {
      return rows + elements > 0;
    }
  }
}
