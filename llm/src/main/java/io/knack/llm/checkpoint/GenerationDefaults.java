package io.knack.llm.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import io.knack.contracts.stage.ContractException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * How a checkpoint wants to be generated from, as far as that is heeded: its {@code
 * generation_config.json}, and only where there is none, as in transformers, its {@code
 * config.json}.
 *
 * @param path of the file
 */
public record GenerationDefaults(Path path, JsonNode options) {
  /** Options that change what greedy decoding gives in transformers, and what leaves it alone. */
  private static final Map<String, Double> CHANGE =
      Map.of(
          "encoder_repetition_penalty", 1.0,
          "no_repeat_ngram_size", 0.0,
          "min_new_tokens", 0.0,
          "min_length", 0.0,
          "num_beams", 1.0,
          "guidance_scale", 1.0);

  private static final List<String> LISTS =
      List.of(
          "stop_strings",
          "suppress_tokens",
          "begin_suppress_tokens",
          "bad_words_ids",
          "sequence_bias",
          "forced_bos_token_id",
          "forced_eos_token_id",
          "forced_decoder_ids",
          "exponential_decay_length_penalty");

  /** Those of a checkpoint directory. */
  public static GenerationDefaults of(Path directory) {
    Path own = directory.resolve("generation_config.json");
    Path path = Files.isRegularFile(own) ? own : directory.resolve("config.json");
    return new GenerationDefaults(path, SmallJson.optional(path));
  }

  /** What ends a generation; empty where nothing is said. */
  public List<Integer> stopIds() {
    return ConfigReader.ids(path, "eos_token_id", options.path("eos_token_id"));
  }

  /**
   * By how much tokens that the prompt or the answer holds already are made less likely: their
   * positive logits are divided by it, the others multiplied (Keskar et al. 2019, CTRL). 1 where
   * nothing is said.
   *
   * @throws ContractException unless it is a positive number
   */
  public double repetitionPenalty() {
    JsonNode value = options.path("repetition_penalty");
    if (value.isMissingNode() || value.isNull()) {
      return 1;
    }
    double penalty = value.doubleValue();
    if (!value.isNumber() || !(penalty > 0) || Double.isInfinite(penalty)) {
      throw new ContractException(
          path + ": repetition_penalty is " + value + ", expected a number above 0");
    }
    return penalty;
  }

  /** Options, as {@code name = value}, that ask for other decoding and are not heeded here. */
  public List<String> unheeded() {
    Stream<String> numbers =
        CHANGE.entrySet().stream()
            .filter(option -> options.path(option.getKey()).isNumber())
            .filter(option -> options.path(option.getKey()).doubleValue() != option.getValue())
            .map(Map.Entry::getKey);
    Stream<String> lists =
        LISTS.stream()
            .filter(name -> options.hasNonNull(name))
            .filter(name -> options.path(name).isValueNode() || !options.path(name).isEmpty());
    return Stream.concat(numbers, lists)
        .sorted()
        .map(name -> name + " = " + options.path(name))
        .toList();
  }
}
