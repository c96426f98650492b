package io.knack.contracts.erasure;

import java.time.Instant;
import java.util.List;
import java.util.SortedMap;
import org.jspecify.annotations.Nullable;

/**
 * What an erasure did: {@code HOME/erasures/ID.json}. Holds nothing that names a person.
 *
 * @param outcome {@code erased}, or {@code nothing_left}
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
  public Receipt {
    adapters = List.copyOf(adapters);
    retrain = List.copyOf(retrain);
  }
}
