package io.knack.practice.route;

import com.fasterxml.jackson.core.JsonProcessingException;
import io.knack.contracts.Manifest;
import io.knack.contracts.stage.ContractException;
import io.knack.contracts.store.Jsons;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** The manifests of a workspace, below {@code HOME/serving/manifests}; the highest is live. */
public final class ServingManifests {
  private static final Pattern NAME = Pattern.compile("v(\\d{6,18})\\.json");

  private final Path serving;

  public ServingManifests(Path home) {
    this.serving = home.resolve("serving");
  }

  /** The live manifest; empty when nothing was ever promoted. */
  public Optional<Manifest> live() {
    Path directory = serving.resolve("manifests");
    if (!Files.isDirectory(directory)) {
      return Optional.empty();
    }
    try (Stream<Path> files = Files.list(directory)) {
      return files
          .map(file -> file.getFileName().toString())
          .filter(name -> NAME.matcher(name).matches())
          .map(name -> Long.parseLong(name.substring(1, name.length() - 5)))
          .max(Long::compare)
          .map(this::numbered);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot list " + directory, e);
    }
  }

  /**
   * @throws ContractException when there is no such manifest, or it is damaged
   */
  public Manifest numbered(long number) {
    Path file =
        serving.resolve("manifests").resolve(String.format(Locale.ROOT, "v%06d.json", number));
    if (!Files.isRegularFile(file)) {
      throw new ContractException("there is no manifest " + number + ": " + file + " is missing");
    }
    try {
      return Jsons.mapper().readValue(file.toFile(), Manifest.class);
    } catch (JsonProcessingException e) {
      throw new ContractException("manifest " + file + " is damaged: " + e.getOriginalMessage(), e);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + file, e);
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
