package io.knack.spark.imports.format;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** All readers, and which of them a record is for. */
public final class LogFormats {
  /** The most telling shapes first. */
  private static final Map<String, LogReader> READERS = new LinkedHashMap<>();

  static {
    READERS.put("knack", new KnackLog());
    READERS.put("litellm", new LiteLlmLog());
    READERS.put("langfuse", new LangfuseLog());
    READERS.put("mlflow", new MlflowLog());
    READERS.put("otel", new OtelLog());
    READERS.put("gsm8k", new GsmLog());
    READERS.put("openai", new OpenAiLog());
    READERS.put("sharegpt", new ShareGptLog());
  }

  private LogFormats() {}

  /** A reader by name; null for {@code auto}, {@code csv} and {@code json}. */
  public static @Nullable LogReader named(String name) {
    return READERS.get(name);
  }

  /** The reader whose shape a record has. */
  public static LogReader recognised(JsonNode record) throws Unreadable {
    for (LogReader reader : READERS.values()) {
      if (reader.recognises(record)) {
        return reader;
      }
    }
    throw new Unreadable("no known format; name one with --format, or the fields with --map");
  }

  /** Whether the columns of a CSV file are those of a known export, which needs no map. */
  public static boolean exports(Collection<String> columns) {
    return LangfuseLog.exports(columns);
  }

  /**
   * Completes an interaction with what other records of the input say of it.
   *
   * @param sides may be empty
   */
  public static void join(Draft draft, Collection<JsonNode> sides) throws Unreadable {
    String key = draft.joinKey;
    if (key == null) {
      return;
    }
    for (JsonNode side : sides) {
      if (key.startsWith("batch:")) {
        if (draft.messages.isEmpty()) {
          OpenAiLog.fillRequest(draft, side);
        }
      } else {
        LangfuseLog.join(draft, side);
      }
    }
    if (draft.messages.isEmpty()) {
      throw new Unreadable("batch output without its request: import the batch input file with it");
    }
  }

  /** Interactions of sides that nothing else spoke of: batch requests without an answer. */
  public static List<Draft> alone(String key, JsonNode side) throws Unreadable {
    List<Draft> drafts = new ArrayList<>();
    if (key.startsWith("batch:")) {
      Draft draft = new Draft();
      OpenAiLog.fillRequest(draft, side);
      draft.tag("custom_id", key.substring("batch:".length()));
      drafts.add(draft);
    }
    return drafts;
  }
}
