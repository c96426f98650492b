package io.knack.contracts.table;

import io.knack.contracts.stage.ContractException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.function.Consumer;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.hadoop.ParquetReader;
import org.jspecify.annotations.Nullable;

/** The rows of a Parquet file that need not be a contract, one read for each that is asked for. */
final class AnyRows extends Spliterators.AbstractSpliterator<Map<String, @Nullable Object>> {
  private final ParquetReader<Group> reader;
  private final Path file;

  private AnyRows(ParquetReader<Group> reader, Path file) {
    super(Long.MAX_VALUE, Spliterator.ORDERED | Spliterator.NONNULL);
    this.reader = reader;
    this.file = file;
  }

  static Stream<Map<String, @Nullable Object>> of(Path file) {
    try {
      AnyRows rows = new AnyRows(ParquetCodec.groups(new ParquetFile(file)), file);
      return StreamSupport.stream(rows, false).onClose(rows::close);
    } catch (IOException | RuntimeException e) {
      throw unreadable(file, e);
    }
  }

  @Override
  public boolean tryAdvance(Consumer<? super Map<String, @Nullable Object>> action) {
    Group row;
    try {
      row = reader.read();
    } catch (IOException | RuntimeException e) {
      throw unreadable(file, e);
    }
    if (row == null) {
      return false;
    }
    action.accept(ParquetCodec.anyRow(row));
    return true;
  }

  private void close() {
    try {
      reader.close();
    } catch (IOException e) {
      throw unreadable(file, e);
    }
  }

  private static ContractException unreadable(Path file, Exception why) {
    return new ContractException(
        file + " is not a readable Parquet file: " + why.getMessage(), why);
  }
}
