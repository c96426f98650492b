package io.knack.contracts.table;

import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * The one codec of a tabular contract: column names (the record's components in snake_case), types,
 * and both directions to Parquet and JSON. Ids are stored as their text, instants in microseconds.
 *
 * @param <T> the record
 */
public final class Table<T extends Record> {
  private final String name;
  private final Class<T> type;

  Table(String name, Class<T> type) {
    this.name = name;
    this.type = type;
  }

  /** As in {@code ./knack show NAME}. */
  public String name() {
    return name;
  }

  public Class<T> type() {
    return type;
  }

  /** Writes one Parquet file, zstd-compressed, and syncs it. */
  public void write(Path file, Iterable<T> rows) {
    throw new UnsupportedOperationException("written next");
  }

  /** Reads a Parquet file, or every one below a directory in path order. Close the stream. */
  public Stream<T> read(Path fileOrDirectory) {
    throw new UnsupportedOperationException("written next");
  }

  /** {@link #read} into memory, for tables that are small by contract. */
  public List<T> readAll(Path fileOrDirectory) {
    try (Stream<T> rows = read(fileOrDirectory)) {
      return rows.toList();
    }
  }

  /** sha256 over the rows' canonical JSON, sorted, so that order and partitions do not matter. */
  public String contentDigest(Iterable<T> rows) {
    throw new UnsupportedOperationException("written next");
  }
}
