package io.knack.contracts.erasure;

import io.knack.contracts.store.DurableFiles;
import io.knack.contracts.store.Jsons;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What an erasure did: {@code HOME/erasures/ID.json}. Holds nothing that names a person.
 *
 * @param outcome {@code erased}; {@code nothing_left} when that was done before; {@code not_found}
 *     when the workspace never held anything of this subject
 * @param counts what was removed: rows, texts, rules, adapters, files
 * @param adapters names, as in serving, of adapters that learnt from the data
 * @param retrain clusters queued for training in {@code HOME/erasures/retrain.json}
 * @param manifest number of the manifest that took them out of serving; null when serving had none
 */
public record Receipt(
    String receipt,
    Instant at,
    String outcome,
    SortedMap<String, Long> counts,
    List<String> adapters,
    List<String> retrain,
    @Nullable Long manifest) {
  static final String ERASED = "erased";
  static final String NOTHING_LEFT = "nothing_left";
  static final String NOT_FOUND = "not_found";

  public Receipt {
    adapters = List.copyOf(adapters);
    retrain = List.copyOf(retrain);
  }

  /** A receipt of an erasure that did nothing, now. */
  static Receipt ofNothing(String receipt, Instant at, String outcome) {
    return new Receipt(receipt, at, outcome, new TreeMap<>(), List.of(), List.of(), null);
  }

  static Path file(Path home, String receipt) {
    return home.resolve("erasures").resolve(receipt + ".json");
  }

  void write(Path home) throws IOException {
    DurableFiles.replace(
        file(home, receipt),
        Jsons.mapper().writerWithDefaultPrettyPrinter().writeValueAsString(this) + "\n");
  }

  /** Whether an earlier call found nothing either. */
  static boolean wasOfNothing(Path home, String receipt) throws IOException {
    Path file = file(home, receipt);
    return Files.exists(file)
        && Jsons.mapper()
            .readTree(Files.readString(file))
            .path("outcome")
            .asText()
            .equals(NOT_FOUND);
  }
}
