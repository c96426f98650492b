package io.knack.llm.text;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.knack.llm.checkpoint.SmallJson;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * What a decoder's {@code tokenizer_config.json} and {@code config.json} change about its {@code
 * tokenizer.json}, by the rules of {@code AutoTokenizer} in transformers 5: the class that they
 * name may bring its own normalizer, pre-tokenizer and decoder, and tokens may be added or become
 * special. What is put around a text stays as the file says.
 */
final class TokenizerSettings {
  /** The tokens with a name of their own. */
  private static final List<String> NAMED =
      List.of(
          "bos_token",
          "eos_token",
          "unk_token",
          "sep_token",
          "pad_token",
          "cls_token",
          "mask_token");

  private static final Set<String> DECODERS = Set.of("llama", "mistral", "qwen2", "qwen3");

  /** What the file holds before its vocabulary, which is nearly all of it. */
  private static final Set<String> HEAD =
      Set.of("added_tokens", "normalizer", "pre_tokenizer", "post_processor", "decoder");

  /** Where Qwen's tokenizers cut a text before they merge (tokenizer.json of Qwen2.5 and Qwen3). */
  private static final String QWEN_PIECES =
      "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}"
          + "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

  private static final String END = "<|endoftext|>";

  /** Sentencepiece's mark of a space. */
  private static final String SPACE = "\u2581";

  private static final ObjectMapper JSON = new ObjectMapper();

  /** The classes of transformers that build their tokenizer themselves, and the rest. */
  private enum Kind {
    LLAMA,
    QWEN2,
    GPT2,
    /** As tokenizer.json says. */
    GENERIC;

    /** The token that the class names where the settings do not; empty for none. */
    String named(String name) {
      return switch (this) {
        case LLAMA ->
            switch (name) {
              case "unk_token" -> "<unk>";
              case "bos_token" -> "<s>";
              case "eos_token" -> "</s>";
              default -> "";
            };
        case QWEN2 -> Set.of("unk_token", "eos_token", "pad_token").contains(name) ? END : "";
        case GPT2 -> Set.of("unk_token", "bos_token", "eos_token").contains(name) ? END : "";
        case GENERIC -> "";
      };
    }

    static Kind of(String className) {
      return switch (className) {
        case "LlamaTokenizer" -> LLAMA;
        case "Qwen2Tokenizer" -> QWEN2;
        case "GPT2Tokenizer" -> GPT2;
        default -> GENERIC;
      };
    }
  }

  private final JsonNode settings;
  private final JsonNode map;
  private final JsonNode config;
  private final Path file;

  private TokenizerSettings(Path directory) {
    settings = SmallJson.optional(directory.resolve("tokenizer_config.json"));
    map = SmallJson.optional(directory.resolve("special_tokens_map.json"));
    config = SmallJson.optional(directory.resolve("config.json"));
    file = directory.resolve("tokenizer.json");
  }

  /** Those of a checkpoint directory. */
  static TokenizerSettings of(Path directory) {
    return new TokenizerSettings(directory);
  }

  /** Whether they change anything of the file. */
  boolean change() throws IOException {
    if (!decoder()) {
      return false;
    }
    ObjectNode head = head(file);
    ObjectNode changed = head.deepCopy();
    apply(changed);
    return !whatMatters(head).equals(whatMatters(changed));
  }

  /** Changes the file's JSON. */
  void apply(ObjectNode root) {
    if (!decoder()) {
      return;
    }
    Kind kind = kind(root);
    if (merges(root)) {
      switch (kind) {
        case LLAMA -> sentencePieces(root);
        case QWEN2 -> {
          ObjectNode split = node("Split");
          split.putObject("pattern").put("Regex", QWEN_PIECES);
          split.put("behavior", "Isolated").put("invert", false);
          ObjectNode pieces = node("Sequence");
          pieces.putArray("pretokenizers").add(split).add(bytes(prefixSpace(false), false));
          root.set("normalizer", node("NFC"));
          byteLevel(root, pieces);
        }
        case GPT2 -> {
          root.putNull("normalizer");
          byteLevel(root, bytes(prefixSpace(false), true));
        }
        case GENERIC -> {}
      }
    }
    addTokens(root, kind);
  }

  /** The tokens with names that templates may use. */
  Map<String, Object> named() {
    Map<String, Object> tokens = new LinkedHashMap<>();
    Kind kind = decoder() && Files.isRegularFile(file) ? kind(headOrNothing()) : Kind.GENERIC;
    NAMED.forEach(name -> tokens.put(name, content(namedToken(name, kind))));
    settings.properties().stream()
        .filter(entry -> entry.getKey().endsWith("_token") && !NAMED.contains(entry.getKey()))
        .forEach(entry -> tokens.put(entry.getKey(), content(entry.getValue())));
    tokens.values().removeIf(""::equals);
    return tokens;
  }

  private ObjectNode headOrNothing() {
    try {
      return head(file);
    } catch (IOException e) {
      return JSON.createObjectNode(); // Whoever needs the tokenizer says what is wrong with it.
    }
  }

  private boolean decoder() {
    return DECODERS.contains(config.path("model_type").asText(""));
  }

  /** The file without its vocabulary, unless that stands before the rest. */
  private static ObjectNode head(Path file) throws IOException {
    ObjectNode head = JSON.createObjectNode();
    Set<String> due = new HashSet<>(HEAD);
    try (JsonParser parser = JSON.createParser(file.toFile())) {
      parser.nextToken();
      while (!due.isEmpty() && parser.nextToken() == JsonToken.FIELD_NAME) {
        String name = parser.currentName();
        parser.nextToken();
        if (due.remove(name)) {
          head.set(name, JSON.readTree(parser));
        } else {
          parser.skipChildren();
        }
      }
    }
    return head;
  }

  /**
   * A head by which two files differ when they give other tokens or texts. Ids of added tokens are
   * not to be told without a vocabulary; their number and marks are. Some options of byte-level
   * parts do nothing where they stand.
   */
  private static ObjectNode whatMatters(ObjectNode head) {
    ObjectNode copy = head.deepCopy();
    copy.remove("model");
    copy.path("added_tokens").forEach(token -> ((ObjectNode) token).remove("id"));
    copy.path("pre_tokenizer")
        .findParents("trim_offsets")
        .forEach(part -> ((ObjectNode) part).remove("trim_offsets"));
    if (copy.path("decoder").path("type").asText().equals("ByteLevel")) {
      copy.set("decoder", node("ByteLevel"));
    }
    return copy;
  }

  // The class ---------------------------------------------------------------------------------

  private Kind kind(JsonNode root) {
    String family = config.path("model_type").asText("");
    String named =
        settings
            .path("tokenizer_class")
            .asText(config.path("tokenizer_class").asText(""))
            .replaceFirst("Fast$", "");
    boolean qwen = family.startsWith("qwen");
    if (family.equals("mistral")) {
      return Kind.GENERIC;
    }
    if (named.isEmpty()) {
      return qwen ? Kind.QWEN2 : Kind.GENERIC;
    }
    if (family.equals("qwen2")) { // Many of its checkpoints name another class by mistake.
      return Kind.QWEN2;
    }
    Kind kind = Kind.of(named);
    return kind == Kind.LLAMA && ofBytes(root) ? Kind.GENERIC : kind;
  }

  /** Llama 3's kin: what they name is the class of Llama 2. */
  private static boolean ofBytes(JsonNode root) {
    return HEAD.stream().anyMatch(part -> root.path(part).toString().contains("\"ByteLevel\""));
  }

  /** Byte pair encoding; the classes here build no other. Unknown where only the head is there. */
  private static boolean merges(ObjectNode root) {
    JsonNode model = root.path("model");
    return model.isMissingNode()
        || (model.path("vocab").isObject() && model.path("merges").isArray());
  }

  private boolean prefixSpace(boolean otherwise) {
    return settings.path("add_prefix_space").asBoolean(otherwise);
  }

  // Pieces ------------------------------------------------------------------------------------

  private void sentencePieces(ObjectNode root) {
    boolean prefix = prefixSpace(true);
    boolean legacy = settings.path("legacy").asBoolean(false);
    ObjectNode pieces = node("Metaspace").put("replacement", SPACE);
    pieces.put("prepend_scheme", !prefix ? "never" : legacy ? "always" : "first");
    pieces.put("split", false);
    ObjectNode spaces = node("Replace");
    spaces.putObject("pattern").put("String", SPACE);
    spaces.put("content", " ");
    ObjectNode decoder = node("Sequence");
    ArrayNode steps = decoder.putArray("decoders");
    steps.add(spaces).add(node("ByteFallback")).add(node("Fuse"));
    if (prefix) {
      steps.add(node("Strip").put("content", " ").put("start", 1).put("stop", 0));
    }
    root.putNull("normalizer");
    root.set("pre_tokenizer", pieces);
    root.set("decoder", decoder);
    if (root.path("model") instanceof ObjectNode model) {
      plain(model).put("fuse_unk", true).put("byte_fallback", true);
    }
  }

  private static void byteLevel(ObjectNode root, ObjectNode pieces) {
    root.set("pre_tokenizer", pieces);
    root.set("decoder", bytes(true, true));
    if (root.path("model") instanceof ObjectNode model) {
      plain(model).put("fuse_unk", false).put("byte_fallback", false);
    }
  }

  private static ObjectNode plain(ObjectNode model) {
    model.putNull("dropout").putNull("unk_token").put("ignore_merges", false);
    return model.putNull("continuing_subword_prefix").putNull("end_of_word_suffix");
  }

  private static ObjectNode bytes(boolean prefixSpace, boolean regex) {
    ObjectNode bytes = node("ByteLevel").put("add_prefix_space", prefixSpace);
    return bytes.put("trim_offsets", true).put("use_regex", regex);
  }

  private static ObjectNode node(String type) {
    return JSON.createObjectNode().put("type", type);
  }

  // Tokens ------------------------------------------------------------------------------------

  /**
   * A token that the file has keeps its way of matching and can become special. A class that builds
   * its tokenizer itself begins without any.
   */
  private void addTokens(ObjectNode root, Kind kind) {
    JsonNode given = settings.path("added_tokens_decoder");
    List<JsonNode> first = new ArrayList<>();
    root.path("added_tokens").forEach(first::add);
    if (kind != Kind.GENERIC && !given.isMissingNode()) {
      first.clear();
    }
    Map<String, ObjectNode> tokens = new LinkedHashMap<>();
    first.forEach(token -> tokens.put(content(token), token.deepCopy()));
    Set<String> kept = kind == Kind.GENERIC ? new HashSet<>(tokens.keySet()) : Set.of();
    List<Map.Entry<String, JsonNode>> entries = new ArrayList<>(given.properties());
    entries.sort(Comparator.comparingLong(entry -> number(entry.getKey())));
    for (Map.Entry<String, JsonNode> entry : entries) {
      ObjectNode token = token(entry.getValue());
      ObjectNode before = tokens.putIfAbsent(content(token), token);
      if (before != null && token.path("special").asBoolean()) {
        before.put("special", true);
      }
    }
    for (JsonNode token : namedTokens(kind)) {
      ObjectNode added = tokens.computeIfAbsent(content(token), text -> token(token));
      if (!kept.contains(content(token))) {
        added.put("special", true);
      }
    }
    for (JsonNode token : extraTokens()) {
      ObjectNode added = tokens.computeIfAbsent(content(token), text -> token(token));
      if (kind == Kind.QWEN2) {
        added.put("special", true);
      }
    }
    tokens.remove("");
    ArrayNode all = root.putArray("added_tokens");
    JsonNode vocabulary = root.path("model").path("vocab");
    int next = vocabulary.size();
    for (ObjectNode token : tokens.values()) {
      JsonNode id = vocabulary.path(content(token));
      token.put("id", id.isInt() ? id.intValue() : next++);
      all.add(token);
    }
  }

  /** The tokens with a name, also with one that transformers does not know. */
  private List<JsonNode> namedTokens(Kind kind) {
    List<JsonNode> tokens = new ArrayList<>();
    NAMED.forEach(name -> tokens.add(namedToken(name, kind)));
    settings.properties().stream()
        .filter(entry -> entry.getKey().endsWith("_token") && !NAMED.contains(entry.getKey()))
        .forEach(entry -> tokens.add(entry.getValue()));
    JsonNode extra = extra();
    if (extra.isObject()) {
      extra.forEach(tokens::add);
    }
    return tokens;
  }

  private List<JsonNode> extraTokens() {
    List<JsonNode> tokens = new ArrayList<>();
    JsonNode extra = extra();
    if (extra.isArray()) {
      extra.forEach(tokens::add);
    }
    return tokens;
  }

  private JsonNode extra() {
    JsonNode extra = settings.path("extra_special_tokens");
    return extra.isEmpty() ? settings.path("additional_special_tokens") : extra;
  }

  private static long number(String id) {
    try {
      return Long.parseLong(id);
    } catch (NumberFormatException e) {
      return Long.MAX_VALUE;
    }
  }

  private JsonNode namedToken(String name, Kind kind) {
    if (!settings.has("added_tokens_decoder") && map.hasNonNull(name)) {
      return map.path(name);
    }
    if (settings.has(name)) {
      return settings.path(name);
    }
    return JSON.getNodeFactory().textNode(kind.named(name));
  }

  private static String content(JsonNode token) {
    return token.isTextual() ? token.textValue() : token.path("content").asText("");
  }

  private static ObjectNode token(JsonNode from) {
    boolean special = from.path("special").asBoolean(from.isTextual());
    ObjectNode token = JSON.createObjectNode();
    token.put("content", content(from));
    token.put("single_word", from.path("single_word").asBoolean(false));
    token.put("lstrip", from.path("lstrip").asBoolean(false));
    token.put("rstrip", from.path("rstrip").asBoolean(false));
    token.put("normalized", from.path("normalized").asBoolean(!special));
    return token.put("special", special);
  }
}
