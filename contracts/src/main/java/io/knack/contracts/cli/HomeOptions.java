package io.knack.contracts.cli;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Option;

/** Options of every verb that has a workspace; a picocli mixin. */
public final class HomeOptions {
  /** What a reader would take for missing when it may not look. */
  private static final List<String> PARTS = List.of("artifacts", "runs", "serving");

  private static final String NAME_ANOTHER = "; name the directory of a workspace";

  @Option(
      names = "--home",
      paramLabel = "DIR",
      description = "workspace (default: ${DEFAULT-VALUE})",
      defaultValue = "./knack-home")
  public Path home = Path.of("knack-home");

  @Option(
      names = "--json",
      description = "JSON on standard output: one document, or of tables and runs one a row")
  public boolean json;

  /**
   * What is wrong with a directory as a workspace; that it is not there yet is nothing wrong.
   *
   * @return a message, or empty
   */
  public static Optional<String> problem(Path home) {
    List<Path> places = new ArrayList<>(List.of(home));
    PARTS.forEach(part -> places.add(home.resolve(part)));
    for (Path place : places) {
      try {
        if (!Files.readAttributes(place, BasicFileAttributes.class).isDirectory()) {
          String which = place.equals(home) ? "--home " + home : "--home " + home + ": " + place;
          return Optional.of(which + " is a file, expected a directory" + NAME_ANOTHER);
        }
        if (!Files.isReadable(place) || !Files.isExecutable(place)) {
          return Optional.of(denied(home, place));
        }
      } catch (NoSuchFileException e) {
        // A part of the workspace that nothing was written to yet.
      } catch (AccessDeniedException e) {
        return Optional.of(denied(home, place));
      } catch (IOException e) {
        return Optional.of("--home " + home + " cannot be read: " + e.getMessage() + NAME_ANOTHER);
      }
    }
    return Optional.empty();
  }

  private static String denied(Path home, Path place) {
    return "--home "
        + home
        + " cannot be read: permission denied for "
        + place
        + "; run as its owner, or name a workspace you may read";
  }
}
