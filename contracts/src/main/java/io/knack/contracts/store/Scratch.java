package io.knack.contracts.store;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A temporary directory that is gone when it is closed, and also when the process is asked to end
 * before that; only SIGKILL leaves it behind.
 */
public final class Scratch implements AutoCloseable {
  private final Path directory;
  private final Thread hook = new Thread(this::delete, "scratch");

  private Scratch(Path directory) {
    this.directory = directory;
    Runtime.getRuntime().addShutdownHook(hook);
  }

  /**
   * @param name of the directory begins with this; the rest is random
   */
  public static Scratch create(String name) throws IOException {
    return new Scratch(Files.createTempDirectory(name));
  }

  public Path directory() {
    return directory;
  }

  @Override
  public void close() throws IOException {
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      return; // The process is ending: the hook deletes.
    }
    DurableFiles.deleteTree(directory);
  }

  private void delete() {
    try {
      DurableFiles.deleteTree(directory);
    } catch (IOException e) {
      throw new UncheckedIOException("what is left lies in " + directory, e);
    }
  }
}
