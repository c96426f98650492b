package io.knack.contracts.table;

import io.knack.contracts.stage.ContractException;
import io.knack.contracts.store.DurableFiles;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/**
 * The one codec of a tabular contract: column names, types, and both directions to Parquet, with
 * the {@link Shape} of its record.
 *
 * <p>Inside an artifact a table is a directory of its {@link #name()} with Parquet files at any
 * depth, or a single file {@code NAME.parquet}.
 *
 * @param <T> the record
 */
public final class Table<T extends Record> {
  private final String name;
  private final Class<T> type;
  private final Shape.Struct shape;

  Table(String name, Class<T> type) {
    this.name = name;
    this.type = type;
    this.shape = Shape.of(type);
  }

  /** As in {@code ./knack show NAME}. */
  public String name() {
    return name;
  }

  public Class<T> type() {
    return type;
  }

  public Shape.Struct shape() {
    return shape;
  }

  /** Writes one Parquet file, zstd-compressed, and syncs it; directories on the way are made. */
  public void write(Path file, Iterable<T> rows) {
    try {
      Path parent = file.toAbsolutePath().getParent();
      if (parent != null) {
        Files.createDirectories(parent);
      }
      RecordWriting.write(file, shape, name, rows);
      DurableFiles.sync(file);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write " + file, e);
    }
  }

  /** {@link #write} as {@code DIRECTORY/NAME.parquet}. */
  public void writeInto(Path directory, Iterable<T> rows) {
    write(directory.resolve(name + ".parquet"), rows);
  }

  /** Whether an artifact has this table, as one file or as a directory of parts. */
  public boolean isIn(Path artifact) {
    return Files.exists(artifact.resolve(name + ".parquet"))
        || Files.exists(artifact.resolve(name));
  }

  /** Reads the table of this name from an artifact's directory. Close the stream. */
  public Stream<T> readFrom(Path artifact) {
    Path file = artifact.resolve(name + ".parquet");
    return read(Files.exists(file) ? file : artifact.resolve(name));
  }

  /** {@link #readFrom} into memory, for tables that are small by contract. */
  public List<T> readAllFrom(Path artifact) {
    try (Stream<T> rows = readFrom(artifact)) {
      return rows.toList();
    }
  }

  /**
   * Reads a Parquet file, or every one below a directory in path order. Close the stream.
   *
   * @throws ContractException for a file that is missing, not Parquet, or lacks a column
   */
  public Stream<T> read(Path fileOrDirectory) {
    List<Path> files = parquetFiles(fileOrDirectory);
    Stream<Stream<T>> streams = files.stream().map(this::readFile);
    return streams.flatMap(rows -> rows);
  }

  /** {@link #read} into memory, for tables that are small by contract. */
  public List<T> readAll(Path fileOrDirectory) {
    try (Stream<T> rows = read(fileOrDirectory)) {
      return rows.toList();
    }
  }

  /** One JSON object with this table's column names. */
  public String json(T row) {
    return JsonCodec.line(shape, row);
  }

  /** The content digest of rows that are held, see {@link RowDigest}. */
  public String contentDigest(Iterable<T> rows) {
    RowDigest digest = rowDigest();
    rows.forEach(digest::add);
    return digest.hex();
  }

  /** For a content digest that is taken while rows pass. */
  public RowDigest rowDigest() {
    return new RowDigest(shape);
  }

  private Stream<T> readFile(Path file) {
    try {
      ParquetCodec.Rows rows = ParquetCodec.read(file, shape);
      Iterator<T> typed =
          new Iterator<>() {
            @Override
            public boolean hasNext() {
              return rows.hasNext();
            }

            @Override
            public T next() {
              return type.cast(rows.next());
            }
          };
      return StreamSupport.stream(
              Spliterators.spliteratorUnknownSize(typed, Spliterator.ORDERED | Spliterator.NONNULL),
              false)
          .onClose(rows::close);
    } catch (IOException e) {
      throw new ContractException(file + " is not a readable Parquet file: " + e.getMessage(), e);
    }
  }

  private List<Path> parquetFiles(Path fileOrDirectory) {
    if (!Files.exists(fileOrDirectory)) {
      throw new ContractException("no table " + name + " at " + fileOrDirectory);
    }
    if (!Files.isDirectory(fileOrDirectory)) {
      return List.of(fileOrDirectory);
    }
    try (Stream<Path> walk = Files.walk(fileOrDirectory)) {
      return walk.filter(path -> path.getFileName().toString().endsWith(".parquet"))
          .filter(Files::isRegularFile)
          .sorted()
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
