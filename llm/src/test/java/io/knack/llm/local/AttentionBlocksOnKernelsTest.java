package io.knack.llm.local;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

/** The same with decode steps as kernel calls, as a GPU takes them. */
class AttentionBlocksOnKernelsTest extends AttentionBlocksTest {
  @BeforeAll
  static void withoutVectors() {
    System.setProperty(VectorDecoder.SWITCH, "false");
  }

  @AfterAll
  static void asBefore() {
    System.clearProperty(VectorDecoder.SWITCH);
  }
}
