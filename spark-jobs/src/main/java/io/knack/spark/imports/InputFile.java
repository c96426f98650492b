package io.knack.spark.imports;

import java.io.Serial;
import java.io.Serializable;
import java.nio.file.Path;

/**
 * One file of the input.
 *
 * @param number in input order
 * @param path absolute; every executor must be able to read it
 * @param source as quarantine names it, relative to the input root
 */
record InputFile(int number, String path, String source, Layout layout, Compression compression)
    implements Serializable {
  @Serial private static final long serialVersionUID = 1L;

  /** How records lie in a file. */
  enum Layout {
    /** One JSON value a line. */
    LINES,
    /** JSON over several lines: an array, or values one after the other. */
    DOCUMENT,
    /** Comma-, semicolon- or tab-separated, with a header. */
    CSV,
    PARQUET
  }

  /** How a file is packed. */
  enum Compression {
    NONE,
    GZIP,
    ZSTD
  }

  Path file() {
    return Path.of(path);
  }
}
