package io.knack.contracts.store;

import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.datatype.jdk8.Jdk8Module;
import com.fasterxml.jackson.datatype.jsr310.JavaTimeModule;

/**
 * How Knack's own JSON files look: snake_case, ISO times, nulls written; enums as each declares.
 */
public final class Jsons {
  private static final ObjectMapper MAPPER =
      JsonMapper.builder()
          .addModule(new JavaTimeModule())
          .addModule(new Jdk8Module())
          .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
          .disable(SerializationFeature.WRITE_DATES_AS_TIMESTAMPS)
          .enable(MapperFeature.ACCEPT_CASE_INSENSITIVE_ENUMS)
          .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          .build();

  /** Where Jackson says that it does not say where. */
  private static final String SOURCE =
      "\\s*\\([^()]*\\[Source: [^\\]]*\\]\\)|\\s*at \\[Source: [^\\]]*\\]";

  private Jsons() {}

  /** Shared; do not configure. Unknown fields are skipped: a newer writer may say more. */
  public static ObjectMapper mapper() {
    return MAPPER;
  }

  /** What is wrong with a document and where, for a person. */
  public static String words(JsonProcessingException problem) {
    String words = String.valueOf(problem.getOriginalMessage()).replaceAll(SOURCE, "");
    JsonLocation at = problem.getLocation();
    return at == null || at.getLineNr() < 1
        ? words
        : words + " (line " + at.getLineNr() + ", column " + at.getColumnNr() + ")";
  }
}
