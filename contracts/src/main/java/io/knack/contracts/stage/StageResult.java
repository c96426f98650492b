package io.knack.contracts.stage;

import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/** How a stage ended when nothing went wrong. */
public sealed interface StageResult {

  /**
   * Files are written; the runner commits them.
   *
   * @param contentDigest see {@link io.knack.contracts.store.ArtifactCard#contentDigest()}
   * @param figures for the card, and the fields of {@code --json}
   */
  record Produced(String contentDigest, long seed, SortedMap<String, Object> figures)
      implements StageResult {
    public static Produced of(String contentDigest, long seed, Map<String, ?> figures) {
      return new Produced(contentDigest, seed, new TreeMap<>(figures));
    }
  }

  /** Everything there was to do had been done before; nothing is committed. Ends with 0. */
  record Unchanged(String reason, SortedMap<String, Object> figures) implements StageResult {
    public static Unchanged of(String reason, Map<String, ?> figures) {
      return new Unchanged(reason, new TreeMap<>(figures));
    }
  }

  /** Finished with nothing to hand on; nothing is committed. Ends with {@link ExitCode#NOTHING}. */
  record Nothing(String reason) implements StageResult {}
}
