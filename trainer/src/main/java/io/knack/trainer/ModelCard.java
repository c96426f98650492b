package io.knack.trainer;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.knack.contracts.plan.Plans;
import io.knack.contracts.store.DurableFiles;
import io.knack.contracts.store.Jsons;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/** The adapter's {@code README.md}: what it is, what it learnt from, what it is for. */
final class ModelCard {
  private ModelCard() {}

  static void write(Path directory, TrainPlan plan, String base, LoraTraining.Outcome outcome)
      throws IOException {
    String revision = plan.baseRevision() == null ? "not stated" : plan.baseRevision();
    DurableFiles.replace(
        directory.resolve("README.md"),
        """
        ---
        base_model: %s
        library_name: peft
        pipeline_tag: text-generation
        tags:
        - lora
        ---
        # LoRA adapter %s

        Trained on verified solutions of problems that recur in one deployment's traffic.

        | | |
        |---|---|
        | base model | `%s` (revision: %s) |
        | rank, alpha | %d, %s%s |
        | examples | %d, sha256 of their tokens and weights `%s` |
        | optimizer steps | %d (skipped: %d) |
        | last loss | %.4f nats per weighted token |
        | best validation loss | %s |

        **Intended scope**: problems like those of its cluster, routed to it by a trigger. Elsewhere
        it may be worse than the base. It inherits the base's licence and limits, and may repeat its
        training examples word for word: serve it only to those who may read them.

        Plan: `%s`
        """
            .formatted(
                base,
                outcome.name().isEmpty() ? "over " + base : outcome.name(),
                base,
                revision,
                plan.rank(),
                plan.alpha(),
                plan.rslora() ? " (rank-stabilised)" : "",
                outcome.examples(),
                outcome.dataDigest(),
                outcome.steps(),
                outcome.skipped(),
                outcome.loss(),
                Double.isFinite(outcome.bestValidationLoss())
                    ? String.format(Locale.ROOT, "%.4f", outcome.bestValidationLoss())
                    : "none",
                withoutPlaces(plan)));
  }

  /** The plan without what is of this machine alone: paths and servers. */
  private static String withoutPlaces(TrainPlan plan) throws IOException {
    ObjectNode fields = (ObjectNode) Jsons.mapper().readTree(Plans.canonicalJson(plan));
    fields.remove(List.of("model", "tracking", "adapters"));
    return fields.toString();
  }
}
