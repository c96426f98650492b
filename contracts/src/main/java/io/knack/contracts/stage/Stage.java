package io.knack.contracts.stage;

import io.knack.contracts.store.ArtifactKind;
import java.io.IOException;
import java.util.List;

/**
 * One step of the night: an immutable plan and pinned inputs in, one artifact out. The {@link
 * StageRunner} does the rest: reads the plan, resolves and pins inputs, recognises work already
 * done, stages, commits, and maps failures to exit codes.
 *
 * @param <P> the plan, see {@link io.knack.contracts.plan.Plans}
 */
public interface Stage<P extends Record> {
  /** As typed on the command line, such as {@code mine}. */
  String name();

  Class<P> planType();

  /** The kind of artifact that it hands on. */
  ArtifactKind produces();

  /** What this plan needs, in a fixed order. */
  List<StageInput> inputs(P plan);

  /**
   * Digest of what the plan names outside the workspace, such as a checkpoint: part of what makes
   * two runs the same. Empty when there is nothing.
   */
  default String fingerprint(P plan) throws IOException {
    return "";
  }

  /**
   * Writes the artifact's files below {@link StageContext#output()}.
   *
   * @throws KnackException for everything that is not a bug
   */
  StageResult run(P plan, StageInputs inputs, StageContext context)
      throws IOException, InterruptedException;
}
