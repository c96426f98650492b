package io.knack.llm.text;

import io.knack.contracts.stage.ContractException;
import io.knack.contracts.stage.PlanException;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * The lines of a UTF-8 file, a pipe or a device. A line ends at a line feed, with a carriage return
 * before it or without; a carriage return elsewhere is part of it.
 */
public final class Utf8Lines implements AutoCloseable {
  /** What some editors write before a file's first line. */
  private static final ByteBuffer MARK =
      ByteBuffer.wrap("\ufeff".getBytes(StandardCharsets.UTF_8)).asReadOnlyBuffer();

  private final Path file;
  private final InputStream bytes;
  private long number;

  private Utf8Lines(Path file, InputStream bytes) {
    this.file = file;
    this.bytes = bytes;
  }

  /**
   * @throws PlanException when the file is not there or may not be read
   */
  public static Utf8Lines open(Path file) {
    if (Files.isDirectory(file)) {
      throw new PlanException(file + ": is a directory, expected a file");
    }
    if (!Files.exists(file)) {
      throw new PlanException(file + ": no such file");
    }
    try {
      return new Utf8Lines(file, new BufferedInputStream(Files.newInputStream(file)));
    } catch (IOException e) {
      throw new PlanException(file + ": cannot be read: " + e.getMessage());
    }
  }

  /**
   * The next line; null at the end.
   *
   * @throws ContractException naming the line that is not UTF-8
   */
  public @Nullable String next() throws IOException {
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    int read = bytes.read();
    if (read < 0) {
      return null;
    }
    number++;
    for (; read >= 0 && read != '\n'; read = bytes.read()) {
      line.write(read);
    }
    int length = line.size();
    ByteBuffer content = ByteBuffer.wrap(line.toByteArray());
    if (number == 1 && content.limit() >= MARK.limit() && content.slice(0, 3).equals(MARK)) {
      content.position(MARK.limit());
    }
    if (read == '\n' && length > 0 && content.get(length - 1) == '\r') {
      content.limit(length - 1);
    }
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(content).toString();
    } catch (CharacterCodingException e) {
      throw new ContractException(where() + "is not UTF-8; convert the file", e);
    }
  }

  /** How messages about the last line begin. */
  public String where() {
    return file + " line " + number + ": ";
  }

  @Override
  public void close() throws IOException {
    bytes.close();
  }
}
