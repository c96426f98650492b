package io.knack.contracts.plan;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.BigIntegerNode;
import com.fasterxml.jackson.databind.node.BooleanNode;
import com.fasterxml.jackson.databind.node.DoubleNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.NullNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLParser;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * YAML as it was written: a scalar keeps its own text besides what YAML makes of it, because a
 * revision {@code 12e5} or {@code 0777} is no number. One document, without aliases.
 */
sealed interface PlanNode {

  /** Keys in their order; may be changed. */
  record Mapping(Map<String, PlanNode> entries) implements PlanNode {
    static Mapping empty() {
      return new Mapping(new LinkedHashMap<>());
    }

    @Override
    public JsonNode json() {
      ObjectNode node = JsonNodeFactory.instance.objectNode();
      entries.forEach((key, value) -> node.set(key, value.json()));
      return node;
    }
  }

  /** Elements in their order. */
  record Sequence(List<PlanNode> elements) implements PlanNode {
    @Override
    public JsonNode json() {
      ArrayNode node = JsonNodeFactory.instance.arrayNode();
      elements.forEach(element -> node.add(element.json()));
      return node;
    }
  }

  /**
   * A single value.
   *
   * @param text as it was written, without quotes
   * @param json what YAML makes of it: a text, number, boolean or null
   */
  record Scalar(String text, JsonNode json) implements PlanNode {
    static final Scalar NULL = new Scalar("null", NullNode.getInstance());

    boolean isNull() {
      return json.isNull();
    }
  }

  /** As YAML understands it. */
  JsonNode json();

  /**
   * Reads one document.
   *
   * @return null when there is nothing in it
   * @throws JsonProcessingException when it is not YAML
   * @throws IllegalArgumentException when it is YAML that no plan may have
   */
  static @Nullable PlanNode parse(String yaml) throws IOException {
    try (YAMLParser parser = Parsing.FACTORY.createParser(yaml)) {
      if (parser.nextToken() == null) {
        return null;
      }
      PlanNode root = new Parsing(parser).node();
      if (parser.nextToken() != null) {
        throw new IllegalArgumentException(
            "has a second document"
                + Parsing.at(parser)
                + ", expected one; take the other out, with the '---' before it");
      }
      return root;
    }
  }

  /** One pass over the events of a document. */
  record Parsing(YAMLParser parser) {
    private static final YAMLFactory FACTORY =
        YAMLFactory.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build();

    /** The node that begins at the parser's event. */
    private PlanNode node() throws IOException {
      JsonToken token = parser.currentToken();
      if (token == JsonToken.START_OBJECT) {
        Map<String, PlanNode> entries = new LinkedHashMap<>();
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
          String key = parser.currentName();
          parser.nextToken();
          entries.put(key, node());
        }
        return new Mapping(entries);
      }
      if (token == JsonToken.START_ARRAY) {
        List<PlanNode> elements = new ArrayList<>();
        while (parser.nextToken() != JsonToken.END_ARRAY) {
          elements.add(node());
        }
        return new Sequence(elements);
      }
      if (parser.isCurrentAlias()) {
        throw new IllegalArgumentException(
            "has an alias *"
                + parser.getText()
                + at(parser)
                + "; a plan has none: write out what it stands for, or put quotes around the text");
      }
      return new Scalar(parser.getText(), value(token));
    }

    private JsonNode value(JsonToken token) throws IOException {
      try {
        return switch (token) {
          case VALUE_NULL -> NullNode.getInstance();
          case VALUE_TRUE -> BooleanNode.TRUE;
          case VALUE_FALSE -> BooleanNode.FALSE;
          case VALUE_NUMBER_INT -> BigIntegerNode.valueOf(parser.getBigIntegerValue());
          case VALUE_NUMBER_FLOAT -> DoubleNode.valueOf(parser.getDoubleValue());
          default -> TextNode.valueOf(parser.getText());
        };
      } catch (JsonProcessingException e) {
        return TextNode.valueOf(parser.getText()); // Such as .nan: no number to Jackson.
      }
    }

    private static String at(YAMLParser parser) {
      return " (line " + parser.currentTokenLocation().getLineNr() + ")";
    }
  }
}
