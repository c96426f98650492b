package io.knack.llm;

/** Why a sample ended. */
public enum FinishReason {
  /** An end-of-sequence token or a stop string. */
  STOP,
  /** The token limit or the context's end. */
  LENGTH,
  CANCELLED
}
