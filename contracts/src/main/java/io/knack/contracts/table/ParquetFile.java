package io.knack.contracts.table;

import java.nio.file.Path;
import org.apache.parquet.io.LocalInputFile;

/** A local file that says its path where the library names it in an error. */
final class ParquetFile extends LocalInputFile {
  private final Path path;

  ParquetFile(Path path) {
    super(path);
    this.path = path;
  }

  @Override
  public String toString() {
    return path.toString();
  }
}
