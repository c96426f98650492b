package io.knack.practice.features;

import com.fasterxml.jackson.core.JsonProcessingException;
import io.knack.contracts.stage.ContractException;
import io.knack.contracts.store.DurableFiles;
import io.knack.contracts.store.Jsons;
import java.io.IOException;
import java.io.Serial;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Where sentence encoders lie on this machine. A feature space names its encoder by name and
 * digest, never by a path; mining notes in the workspace where it found the one it used ({@code
 * encoders/DIGEST.json}), and whoever reads the space finds it there, or where the operator says
 * that it lies.
 */
public final class Encoders implements Serializable {
  @Serial private static final long serialVersionUID = 1L;

  private final @Nullable String home;
  private final @Nullable String given;

  private Encoders(@Nullable String home, @Nullable String given) {
    this.home = home;
    this.given = given;
  }

  /** For spaces that need no encoder. */
  public static Encoders none() {
    return new Encoders(null, null);
  }

  /** Those noted in a workspace, whose cached vectors are used too. */
  public static Encoders of(Path home) {
    return new Encoders(home.toAbsolutePath().normalize().toString(), null);
  }

  /**
   * The same, but a given directory is looked at before all others.
   *
   * @param directory of a checkpoint; null for none
   */
  public Encoders at(@Nullable Path directory) {
    return directory == null ? this : new Encoders(home, directory.toAbsolutePath().toString());
  }

  private record Note(String name, String directory) {}

  /** Notes where an encoder lies. */
  public void note(SentenceEncoder encoder) {
    if (home == null) {
      return;
    }
    Path file = file(home, encoder.digest());
    try {
      Files.createDirectories(file.getParent());
      DurableFiles.replace(
          file,
          Jsons.mapper()
                  .writerWithDefaultPrettyPrinter()
                  .writeValueAsString(new Note(encoder.name(), encoder.directory().toString()))
              + "\n");
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write " + file, e);
    }
  }

  /**
   * The encoder with a digest.
   *
   * @param name for the message when it is nowhere
   * @throws ContractException naming where it was looked for
   */
  SentenceEncoder find(String name, String digest) {
    String directory = given != null ? given : noted(digest);
    String wanted =
        "the feature space was made with the sentence encoder "
            + name
            + " (digest "
            + shortened(digest)
            + "), ";
    String help =
        "; say where that checkpoint lies (./knack route --encoder DIR), or set"
            + " 'encoder' in the plan of mine or of the night and run ./knack mine again";
    if (directory == null) {
      throw new ContractException(
          wanted + "and nothing in this workspace says where it lies" + help);
    }
    SentenceEncoder found;
    try {
      found = SentenceEncoder.open(Path.of(directory));
    } catch (ContractException e) {
      throw new ContractException(wanted + "which is not at " + directory + help, e);
    }
    if (!found.digest().equals(digest)) {
      throw new ContractException(
          wanted
              + "and at "
              + directory
              + " is another one (digest "
              + shortened(found.digest())
              + ")"
              + help);
    }
    return found;
  }

  /** The cached vectors of an encoder; null without a workspace. */
  @Nullable VectorCache vectors(String digest) {
    return home == null ? null : VectorCache.open(vectors(Path.of(home), digest));
  }

  /** Where a workspace keeps vectors of an encoder. */
  public static Path vectors(Path home, String digest) {
    return home.resolve("cache").resolve("vectors").resolve(digest);
  }

  private @Nullable String noted(String digest) {
    if (home == null) {
      return null;
    }
    Path file = file(home, digest);
    if (!Files.isRegularFile(file)) {
      return null;
    }
    try {
      return Jsons.mapper().readValue(file.toFile(), Note.class).directory();
    } catch (JsonProcessingException e) {
      throw new ContractException(file + " is damaged: " + Jsons.words(e), e);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + file, e);
    }
  }

  private static Path file(String home, String digest) {
    return Path.of(home, "encoders", digest + ".json");
  }

  private static String shortened(String digest) {
    return digest.substring(0, Math.min(12, digest.length()));
  }
}
