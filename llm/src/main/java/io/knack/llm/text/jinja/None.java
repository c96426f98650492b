package io.knack.llm.text.jinja;

/** Python's None; inside the interpreter no value is null. */
enum None {
  NONE
}
