package io.knack.llm.encoder;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.knack.contracts.stage.ContractException;
import io.knack.llm.checkpoint.SmallJson;
import io.knack.llm.text.Tokenizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * The ids of texts as transformers gives them to an encoder: {@code tokenizer.json}, what {@code
 * tokenizer_config.json} says over it, and long texts cut.
 */
final class EncoderTokenizer implements AutoCloseable {
  /** These make their own normalizer, from tokenizer_config.json alone. */
  private static final Set<String> BERT =
      Set.of("BertTokenizer", "DistilBertTokenizer", "MPNetTokenizer");

  /** The end of a long text that is left out. */
  private enum Side {
    LEFT,
    RIGHT
  }

  private final EncoderConfig config;
  private final Tokenizer tokenizer;
  private final Side side;
  private final int before;
  private final int after;

  private EncoderTokenizer(EncoderConfig config, Tokenizer tokenizer, Side side) {
    this.config = config;
    this.tokenizer = tokenizer;
    this.side = side;
    List<Integer> bare = tokenizer.encode("a", Tokenizer.Specials.NONE);
    List<Integer> whole = tokenizer.encode("a", Tokenizer.Specials.ADDED);
    before = Math.max(0, Collections.indexOfSubList(whole, bare));
    after = whole.size() - bare.size() - before;
  }

  /**
   * @throws ContractException naming what is missing, wrong or not supported
   */
  static EncoderTokenizer load(EncoderConfig config) {
    Path directory = config.directory();
    JsonNode settings = SmallJson.optional(directory.resolve("tokenizer_config.json"));
    Tokenizer tokenizer =
        BERT.contains(kind(settings, SmallJson.optional(directory.resolve("config.json"))))
            ? Tokenizer.load(directory, file -> normalizeAsBert(file, settings))
            : Tokenizer.load(directory);
    try {
      return new EncoderTokenizer(config, tokenizer, side(directory, settings));
    } catch (RuntimeException e) {
      tokenizer.close();
      throw e;
    }
  }

  /** The class that transformers takes. */
  private static String kind(JsonNode settings, JsonNode config) {
    String named =
        settings.path("tokenizer_class").asText(config.path("tokenizer_class").asText(""));
    if (!named.isEmpty()) {
      return named.replaceFirst("Fast$", "");
    }
    return switch (config.path("model_type").asText("")) {
      case "bert", "distilbert" -> "BertTokenizer";
      case "mpnet" -> "MPNetTokenizer";
      default -> "";
    };
  }

  /** Word pieces only: the multilingual kin of BERT may have the class and other pieces. */
  private static void normalizeAsBert(ObjectNode file, JsonNode settings) {
    JsonNode model = file.path("model");
    // Older files do not tell the type.
    if (!model.path("type").asText("WordPiece").equals("WordPiece")
        || model.has("merges")
        || !model.path("vocab").isObject()) {
      return;
    }
    ObjectNode normalizer = file.putObject("normalizer");
    normalizer.put("type", "BertNormalizer");
    normalizer.put("clean_text", true);
    normalizer.put("handle_chinese_chars", settings.path("tokenize_chinese_chars").asBoolean(true));
    JsonNode accents = settings.path("strip_accents"); // Else they go with the capitals.
    normalizer.put("strip_accents", accents.isBoolean() ? accents.booleanValue() : null);
    normalizer.put("lowercase", settings.path("do_lower_case").asBoolean(true));
  }

  private static Side side(Path directory, JsonNode settings) {
    JsonNode set = settings.path("truncation_side");
    Path file = directory.resolve("tokenizer_config.json");
    if (!set.isTextual()) {
      file = directory.resolve("tokenizer.json");
      set = truncation(file).path("direction");
    }
    String side = set.asText("right").toLowerCase(Locale.ROOT);
    return switch (side) {
      case "left" -> Side.LEFT;
      case "right" -> Side.RIGHT;
      default ->
          throw new ContractException(
              file + ": texts cannot be cut on the side '" + side + "'; supported: left, right");
    };
  }

  /** Read alone: it stands before the vocabulary, which is most of the file. */
  private static JsonNode truncation(Path file) {
    ObjectMapper json = new ObjectMapper();
    try (JsonParser parser = json.createParser(file.toFile())) {
      parser.nextToken();
      while (parser.nextToken() == JsonToken.FIELD_NAME) {
        String name = parser.currentName();
        parser.nextToken();
        if (name.equals("truncation")) {
          return json.readTree(parser);
        }
        parser.skipChildren();
      }
      return MissingNode.getInstance();
    } catch (IOException e) {
      throw new ContractException(file + ": cannot be read: " + e.getMessage(), e);
    }
  }

  /**
   * At most {@link EncoderConfig#maxTokens} ids, of the text with the checkpoint's prefix and its
   * special tokens, which are never cut.
   *
   * @throws ContractException when the encoder has no vector for an id
   */
  List<Integer> ids(String text) {
    String whole = (config.prefix() + text).strip();
    if (config.letters() == EncoderConfig.Case.LOWERED) {
      whole = whole.toLowerCase(Locale.ROOT);
    }
    List<Integer> ids = tokenizer.encode(whole, Tokenizer.Specials.ADDED);
    for (int id : ids) {
      if (id >= config.vocabulary()) {
        throw new ContractException(
            config.directory()
                + ": tokenizer.json gives the token id "
                + id
                + ", config.json has a vocab_size of "
                + config.vocabulary());
      }
    }
    int over = ids.size() - config.maxTokens();
    if (over <= 0) {
      return ids;
    }
    int from = side == Side.LEFT ? before : ids.size() - after - over;
    List<Integer> cut = new ArrayList<>(ids.subList(0, from));
    cut.addAll(ids.subList(from + over, ids.size()));
    return cut;
  }

  @Override
  public void close() {
    tokenizer.close();
  }
}
