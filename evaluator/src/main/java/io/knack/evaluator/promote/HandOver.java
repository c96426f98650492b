package io.knack.evaluator.promote;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.knack.contracts.Manifest;
import io.knack.contracts.Manifest.AdapterRef;
import io.knack.contracts.stage.ContractException;
import io.knack.contracts.stage.TemporaryException;
import io.knack.contracts.store.DurableFiles;
import io.knack.contracts.store.Jsons;
import java.io.IOException;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.UUID;
import java.util.stream.Stream;

/**
 * Brings adapters and the feature space to where serving reads them, under names that carry their
 * digests and are never used again: what vLLM's filesystem resolver finds.
 */
final class HandOver {
  private final Path serving;
  private final Runnable beforeEachStep;

  HandOver(Path serving, Runnable beforeEachStep) {
    this.serving = serving;
    this.beforeEachStep = beforeEachStep;
  }

  /**
   * Copies what is not there yet; a kill leaves whole directories only.
   *
   * @throws ContractException when an adapter is neither there nor given
   */
  void bring(Promotion.Wish wish) throws IOException {
    for (AdapterRef ref : Promotion.adapters(wish.manifest())) {
      Path target = serving.resolve(ref.path());
      if (Files.isDirectory(target)) {
        continue; // The name carries the digest, and lint has compared it.
      }
      Path source = wish.adapters().get(ref.name());
      if (source == null) {
        throw new ContractException("adapter " + ref.name() + " is missing at " + target);
      }
      beforeEachStep.run();
      Path beside = beside(target);
      copyTree(source, beside);
      writeCard(beside, ref);
      publish(beside, target);
    }
    if (wish.featureSpace() != null) {
      Path target = serving.resolve(featureSpacePath(wish.manifest()));
      if (!Files.exists(target)) {
        beforeEachStep.run();
        Path beside = beside(target);
        copyTree(wish.featureSpace(), beside);
        publish(beside, target);
      }
    }
  }

  /** Relative to the home's {@code serving}. */
  static String featureSpacePath(Manifest manifest) {
    return "feature-spaces/" + manifest.featureSpaceDigest().replaceAll("[^A-Za-z0-9._-]", "-");
  }

  private static Path beside(Path target) {
    return target.resolveSibling("." + target.getFileName() + "." + UUID.randomUUID() + ".tmp");
  }

  private static void copyTree(Path from, Path to) throws IOException {
    Files.createDirectories(Objects.requireNonNull(to.getParent()));
    List<Path> copied = new ArrayList<>();
    try (Stream<Path> walk = Files.walk(from)) {
      for (Path file : walk.toList()) {
        Path target = to.resolve(from.relativize(file).toString());
        if (Files.isDirectory(file)) {
          Files.createDirectories(target);
        } else {
          Files.copy(file, target);
          copied.add(target);
        }
      }
    }
    for (Path file : copied) {
      DurableFiles.sync(file);
    }
  }

  /** The card, with what llama.cpp needs. */
  private static void writeCard(Path directory, AdapterRef ref) throws IOException {
    Path file = directory.resolve(io.knack.contracts.AdapterCard.FILE);
    JsonNode tree =
        Files.exists(file)
            ? Jsons.mapper().readTree(Files.readString(file))
            : Jsons.mapper().createObjectNode();
    ObjectNode card =
        tree instanceof ObjectNode object ? object : Jsons.mapper().createObjectNode();
    card.put("serving_name", ref.name());
    card.put("digest", ref.digest());
    card.set("llama_cpp", Jsons.mapper().valueToTree(AdapterLint.llamaCpp(directory)));
    DurableFiles.replace(
        file, Jsons.mapper().writerWithDefaultPrettyPrinter().writeValueAsString(card) + "\n");
  }

  private void publish(Path beside, Path target) throws IOException {
    beforeEachStep.run();
    try {
      Files.move(beside, target, StandardCopyOption.ATOMIC_MOVE);
    } catch (AtomicMoveNotSupportedException e) {
      throw new TemporaryException(serving + " cannot rename atomically", e);
    } catch (FileSystemException e) {
      if (!Files.exists(target)) {
        throw e;
      }
      DurableFiles.deleteTree(beside); // Another promoter handed over the same name and content.
    }
    DurableFiles.syncDirectory(Objects.requireNonNull(target.getParent()));
  }
}
