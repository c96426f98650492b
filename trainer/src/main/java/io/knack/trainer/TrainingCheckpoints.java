package io.knack.trainer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.knack.contracts.stage.ContractException;
import io.knack.contracts.stage.TemporaryException;
import io.knack.contracts.store.DurableFiles;
import io.knack.contracts.store.Jsons;
import io.knack.llm.train.TrainableDecoder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.TreeMap;

/**
 * Checkpoints of a run below one directory: {@code step-N}, written beside and renamed, so that a
 * crash or a full disk leaves the one before. Only the newest is kept.
 */
final class TrainingCheckpoints {
  private static final String TENSORS = "state.safetensors";
  private static final String LOOP = "loop.json";

  private final Path directory;
  private final String fingerprint;
  private int microTokens;

  /**
   * @param fingerprint of plan, data and weights: a checkpoint with another one is not this run's
   */
  TrainingCheckpoints(Path directory, String fingerprint) {
    this.directory = directory;
    this.fingerprint = fingerprint;
  }

  void save(long step, TrainableDecoder.State state, List<LaneState> lanes) {
    Path beside = directory.resolve("writing");
    Path place = directory.resolve("step-" + step);
    try {
      DurableFiles.deleteTree(beside);
      Files.createDirectories(beside);
      Map<String, float[]> tensors = new TreeMap<>();
      tensors.put("parameters", state.parameters());
      tensors.put("first", state.first());
      tensors.put("second", state.second());
      ObjectNode loop = Jsons.mapper().createObjectNode();
      loop.put("fingerprint", fingerprint).put("step", step).put("micro_tokens", microTokens);
      for (int i = 0; i < lanes.size(); i++) {
        LaneState lane = lanes.get(i);
        ObjectNode node = loop.withArray("lanes").addObject();
        node.put("step", lane.step).put("updates", lane.updates).put("skipped", lane.skipped);
        node.put("stopped", lane.stopped).put("worse", lane.worse);
        node.put("best_loss_bits", Double.doubleToLongBits(lane.bestLoss));
        node.put("last_loss_bits", Double.doubleToLongBits(lane.lastLoss));
        float[] best = lane.best;
        if (best != null) {
          tensors.put("best." + i, best);
        }
      }
      Tensors.write(beside.resolve(TENSORS), tensors);
      DurableFiles.replace(beside.resolve(LOOP), Jsons.mapper().writeValueAsString(loop));
      DurableFiles.syncDirectory(beside);
      DurableFiles.deleteTree(place);
      Files.move(beside, place, StandardCopyOption.ATOMIC_MOVE);
      DurableFiles.syncDirectory(directory);
      for (Path old : steps()) {
        if (!old.equals(place)) {
          DurableFiles.deleteTree(old);
        }
      }
    } catch (IOException e) {
      throw new TemporaryException(
          "the checkpoint of step "
              + step
              + " could not be written to "
              + directory
              + ": "
              + e.getMessage()
              + "; the one before stands. Free space there and start the same command again",
          e);
    }
  }

  /** Rows of a micro-batch as this run's newest checkpoint has them; sums depend on it. */
  OptionalInt microTokens() throws IOException {
    Optional<Path> newest = newest();
    return newest.isPresent()
        ? OptionalInt.of(read(newest.get()).path("micro_tokens").asInt())
        : OptionalInt.empty();
  }

  /** What further checkpoints say. */
  void microTokens(int rows) {
    microTokens = rows;
  }

  /**
   * Restores the newest checkpoint of this run, if there is one.
   *
   * @return the step it was taken after, or 0
   */
  long restore(TrainableDecoder decoder, List<LaneState> lanes) throws IOException {
    Optional<Path> newest = newest();
    if (newest.isEmpty()) {
      return 0;
    }
    JsonNode loop = read(newest.get());
    Map<String, float[]> tensors = Tensors.read(newest.get().resolve(TENSORS));
    decoder.restore(
        new TrainableDecoder.State(
            part(tensors, "parameters"), part(tensors, "first"), part(tensors, "second")));
    for (int i = 0; i < lanes.size(); i++) {
      JsonNode node = loop.path("lanes").path(i);
      LaneState lane = lanes.get(i);
      lane.step = node.path("step").asLong();
      lane.updates = node.path("updates").asLong();
      lane.skipped = node.path("skipped").asInt();
      lane.stopped = node.path("stopped").asBoolean();
      lane.worse = node.path("worse").asInt();
      lane.bestLoss = Double.longBitsToDouble(node.path("best_loss_bits").asLong());
      lane.lastLoss = Double.longBitsToDouble(node.path("last_loss_bits").asLong());
      lane.best = tensors.get("best." + i);
    }
    return loop.path("step").asLong();
  }

  /** The newest checkpoint, if it is of this run. */
  private Optional<Path> newest() throws IOException {
    Optional<Path> newest =
        steps().stream().max(java.util.Comparator.comparingLong(TrainingCheckpoints::step));
    return newest.isPresent() && read(newest.get()).path("fingerprint").asText().equals(fingerprint)
        ? newest
        : Optional.empty();
  }

  private static JsonNode read(Path checkpoint) throws IOException {
    return Jsons.mapper().readTree(checkpoint.resolve(LOOP).toFile());
  }

  private static float[] part(Map<String, float[]> tensors, String name) {
    float[] part = tensors.get(name);
    if (part == null) {
      throw new ContractException("a training checkpoint without its '" + name + "' tensor");
    }
    return part;
  }

  /** Forgets them all: the run has ended. */
  void clear() throws IOException {
    DurableFiles.deleteTree(directory);
  }

  private List<Path> steps() throws IOException {
    if (!Files.isDirectory(directory)) {
      return List.of();
    }
    try (var files = Files.list(directory)) {
      return files.filter(f -> f.getFileName().toString().startsWith("step-")).toList();
    }
  }

  private static long step(Path place) {
    return Long.parseLong(place.getFileName().toString().substring("step-".length()));
  }
}
