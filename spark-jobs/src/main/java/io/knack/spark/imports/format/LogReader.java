package io.knack.spark.imports.format;

import com.fasterxml.jackson.databind.JsonNode;

/** Understands one kind of log record. */
public interface LogReader {
  /** Whether a record has this reader's shape; cheap, and false for every other reader's. */
  boolean recognises(JsonNode record);

  /**
   * Reads one record.
   *
   * @param sink takes what it holds: none, one or several interactions
   * @throws Unreadable when it has the shape but not the sense
   */
  void read(JsonNode record, Sink sink) throws Unreadable;

  /** Takes what a record holds. */
  interface Sink {
    void interaction(Draft draft);

    /** A part of the record that was understood and is no interaction, as a tool's span. */
    void ignored();

    /** A part of the record that was not understood. */
    void unreadable(String reason);

    /**
     * Something that belongs to interactions elsewhere in the input.
     *
     * @param key as in {@link Draft#joinKey}
     */
    void side(String key, JsonNode side);
  }
}
