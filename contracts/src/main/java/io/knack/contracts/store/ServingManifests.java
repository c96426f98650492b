package io.knack.contracts.store;

import com.fasterxml.jackson.core.JsonProcessingException;
import io.knack.contracts.Manifest;
import io.knack.contracts.stage.ContractException;
import io.knack.contracts.stage.TemporaryException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** The manifests of a workspace, below {@code HOME/serving/manifests}; the highest is live. */
public final class ServingManifests {
  private static final Pattern NAME = Pattern.compile("v(\\d{6,18})\\.json");

  private final Path serving;

  public ServingManifests(Path home) {
    this.serving = home.resolve("serving");
  }

  /** Where the manifest of a number is, or would be. */
  public Path file(long number) {
    return serving.resolve("manifests").resolve(Manifest.name(number) + ".json");
  }

  /** All that there are, by number. */
  public SortedMap<Long, Path> files() {
    SortedMap<Long, Path> files = new TreeMap<>();
    Path directory = serving.resolve("manifests");
    if (!Files.isDirectory(directory)) {
      return files;
    }
    try (Stream<Path> all = Files.list(directory)) {
      all.forEach(
          file -> {
            Matcher name = NAME.matcher(file.getFileName().toString());
            if (name.matches()) {
              files.put(Long.valueOf(name.group(1)), file);
            }
          });
      return files;
    } catch (IOException e) {
      throw TemporaryException.of("cannot list " + directory, e);
    }
  }

  /** The live manifest's file; empty when nothing was ever promoted. */
  public Optional<Path> liveFile() {
    SortedMap<Long, Path> files = files();
    return files.isEmpty() ? Optional.empty() : Optional.ofNullable(files.get(files.lastKey()));
  }

  /** The live manifest; empty when nothing was ever promoted. */
  public Optional<Manifest> live() {
    return liveFile().map(ServingManifests::read);
  }

  /**
   * @throws ContractException when there is no such manifest, or it is damaged
   */
  public Manifest numbered(long number) {
    Path file = file(number);
    if (!Files.isRegularFile(file)) {
      throw new ContractException("there is no manifest " + number + ": " + file + " is missing");
    }
    return read(file);
  }

  /**
   * @throws ContractException when it is damaged
   */
  public static Manifest read(Path file) {
    try {
      return Jsons.mapper().readValue(Files.readString(file), Manifest.class);
    } catch (JsonProcessingException e) {
      throw new ContractException("manifest " + file + " is damaged: " + Jsons.words(e), e);
    } catch (IOException e) {
      throw TemporaryException.of("cannot read " + file, e);
    }
  }

  /** The file of a manifest's feature space. */
  public Path featureSpace(Manifest manifest) {
    if (manifest.featureSpace() == null) {
      throw new ContractException(
          "manifest " + manifest.number() + " names no feature space, so nothing can be compared");
    }
    return serving.resolve(manifest.featureSpace());
  }
}
