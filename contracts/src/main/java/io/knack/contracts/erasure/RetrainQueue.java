package io.knack.contracts.erasure;

import com.fasterxml.jackson.core.JsonProcessingException;
import io.knack.contracts.id.ClusterId;
import io.knack.contracts.stage.ContractException;
import io.knack.contracts.stage.TemporaryException;
import io.knack.contracts.store.DurableFiles;
import io.knack.contracts.store.Jsons;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * {@code HOME/erasures/retrain.json}: clusters whose adapter was taken away by an erasure. Curation
 * offers them before all others; training takes them off when they have an adapter again.
 *
 * @param clusters without repetition
 * @param queued which adapter, and by which receipt
 */
public record RetrainQueue(List<ClusterId> clusters, List<Item> queued) {
  /** One adapter, by the name that serving knew it by. */
  public record Item(ClusterId cluster, String adapter, String receipt) {}

  public RetrainQueue {
    clusters = List.copyOf(clusters);
    queued = List.copyOf(queued);
  }

  /** Empty, where the file is missing. */
  public static RetrainQueue read(Path home) {
    Path file = file(home);
    if (!Files.exists(file)) {
      return new RetrainQueue(List.of(), List.of());
    }
    try {
      return Jsons.mapper().readValue(Files.readString(file), RetrainQueue.class);
    } catch (JsonProcessingException e) {
      throw new ContractException(file + " is damaged: " + Jsons.words(e), e);
    } catch (IOException e) {
      throw new TemporaryException("cannot read " + file + ": " + e.getMessage(), e);
    }
  }

  RetrainQueue with(List<Item> more) {
    TreeSet<Item> items =
        new TreeSet<>(Comparator.comparing(Item::receipt).thenComparing(Item::adapter));
    items.addAll(queued);
    items.addAll(more);
    return new RetrainQueue(
        items.stream().map(Item::cluster).distinct().toList(), List.copyOf(items));
  }

  /**
   * Takes off the queue what has an adapter again; what cannot be learnt yet stays on it.
   *
   * @return how many clusters that were
   */
  public static int settle(Path home, Set<ClusterId> trained) throws IOException {
    RetrainQueue queue = read(home);
    List<Item> left =
        queue.queued().stream().filter(item -> !trained.contains(item.cluster())).toList();
    List<ClusterId> clusters = left.stream().map(Item::cluster).distinct().toList();
    if (left.size() < queue.queued().size()) {
      new RetrainQueue(clusters, left).write(home);
    }
    return queue.clusters().size() - clusters.size();
  }

  void write(Path home) throws IOException {
    DurableFiles.replace(
        file(home),
        Jsons.mapper().writerWithDefaultPrettyPrinter().writeValueAsString(this) + "\n");
  }

  private static Path file(Path home) {
    return home.resolve("erasures").resolve("retrain.json");
  }
}
