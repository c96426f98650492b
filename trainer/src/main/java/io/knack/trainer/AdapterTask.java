package io.knack.trainer;

import io.knack.llm.train.TokenSequence;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One adapter to train.
 *
 * @param name also its directory's
 * @param examples tokenized; their {@code adapter} is set by the training
 * @param initAdapter a PEFT directory to go on from; null for a fresh one
 */
public record AdapterTask(
    String name,
    List<TokenSequence> examples,
    List<TokenSequence> validation,
    @Nullable Path initAdapter) {
  public AdapterTask {
    examples = List.copyOf(examples);
    validation = List.copyOf(validation);
  }
}
