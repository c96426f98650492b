package io.knack.contracts.stage;

import io.knack.contracts.id.RunId;
import io.knack.contracts.store.Artifact;
import io.knack.contracts.store.ArtifactRef;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.ServiceLoader;

/**
 * Watches stages from outside. A stage knows nothing of it: what there is to see is in plan,
 * inputs, ending and artifact. Observers are found on the class path by {@link ServiceLoader}; they
 * throw nothing.
 */
public interface StageObserver {

  /** A stage begins to work: its inputs are pinned. */
  Watch begin(Beginning beginning);

  /**
   * What is known when a stage begins.
   *
   * @param plan canonical JSON
   */
  record Beginning(Path home, RunId run, String stage, String plan, List<ArtifactRef> inputs) {
    public Beginning {
      inputs = List.copyOf(inputs);
    }
  }

  /** One stage under observation; exactly one of its methods is called, once. */
  interface Watch {
    /**
     * The stage came to an end in order.
     *
     * @param artifact what this very run committed
     */
    void ended(StageRunner.Ending ending, Optional<Artifact> artifact);

    /** The stage failed with a message for the user. */
    void failed(ExitCode exit, String reason);
  }

  /** All observers of the class path as one. */
  static StageObserver installed() {
    List<StageObserver> all =
        ServiceLoader.load(StageObserver.class).stream().map(ServiceLoader.Provider::get).toList();
    return beginning -> {
      List<Watch> watches = all.stream().map(observer -> observer.begin(beginning)).toList();
      return new Watch() {
        @Override
        public void ended(StageRunner.Ending ending, Optional<Artifact> artifact) {
          watches.forEach(watch -> watch.ended(ending, artifact));
        }

        @Override
        public void failed(ExitCode exit, String reason) {
          watches.forEach(watch -> watch.failed(exit, reason));
        }
      };
    };
  }

  /** Sees nothing. */
  static StageObserver none() {
    return beginning ->
        new Watch() {
          @Override
          public void ended(StageRunner.Ending ending, Optional<Artifact> artifact) {}

          @Override
          public void failed(ExitCode exit, String reason) {}
        };
  }
}
