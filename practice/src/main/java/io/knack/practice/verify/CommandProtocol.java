package io.knack.practice.verify;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import org.jspecify.annotations.Nullable;

/**
 * What a user's command reads and writes: one JSON object a line.
 *
 * <pre>
 * in   {"id":7,"problem":"..","answer":"42","completion":"6*7=42\nA: 42","reference":"42"}
 * out  {"id":7,"score":1.0,"reason":".."}     or "passed":true in place of the score
 * </pre>
 */
final class CommandProtocol {
  private static final JsonMapper JSON = new JsonMapper();

  private CommandProtocol() {}

  static String line(long id, Check check) {
    ObjectNode node = JSON.createObjectNode();
    node.put("id", id);
    node.put("problem", check.problem());
    node.put("answer", Extract.CONCLUSION.of(check.answer()));
    node.put("completion", check.answer());
    node.put("reference", check.reference());
    return node.toString();
  }

  /** A reply, or null when the line is none. */
  static @Nullable Reply parse(String line) {
    JsonNode node;
    try {
      node = JSON.readTree(line);
    } catch (JsonProcessingException e) {
      return null;
    }
    if (node == null || !node.isObject()) {
      return null;
    }
    double score;
    if (node.path("score").isNumber()) {
      score = node.path("score").doubleValue();
    } else if (node.path("passed").isBoolean()) {
      score = node.path("passed").booleanValue() ? 1 : 0;
    } else {
      return null;
    }
    if (!(score >= 0 && score <= 1)) {
      return null;
    }
    return new Reply(
        node.path("id").asLong(-1), score, Checked.brief(node.path("reason").asText()));
  }

  record Reply(long id, double score, String reason) {}
}
