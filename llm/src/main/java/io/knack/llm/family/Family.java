package io.knack.llm.family;

import io.knack.llm.checkpoint.ConfigReader;
import io.knack.llm.checkpoint.ModelConfig;

/** One decoder architecture: what its config.json means. */
interface Family {
  /** As {@code architectures} names it. */
  String architecture();

  /** Reads the options; asks for every key that matters. */
  ModelConfig read(ConfigReader config);
}
