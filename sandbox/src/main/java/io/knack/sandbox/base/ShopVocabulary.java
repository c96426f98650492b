package io.knack.sandbox.base;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * The base model's vocabulary and its {@code tokenizer.json}: every word that the mixture uses is
 * one token, every digit is one, and whatever else comes falls back to characters and bytes.
 */
public final class ShopVocabulary {
  /** Ends every completion. */
  public static final String END = "<|end|>";

  /** Fills a batch; never learnt. */
  public static final String PAD = "<|pad|>";

  /**
   * Pieces: a word with the space before it, its colon, and a space that a digit follows (so that
   * numbers cost their digits only); a digit; an arrow; any other character.
   */
  private static final String PIECES = " ?[A-Za-z]+:?(?: (?=[0-9]))?|[0-9]| =>|[^A-Za-z0-9]";

  private static final Pattern PATTERN = Pattern.compile(PIECES);
  private static final int SURVEYED = 20_000;
  private static final int RARE = 5;

  private final Map<String, Integer> ids;

  private ShopVocabulary(Map<String, Integer> ids) {
    this.ids = ids;
  }

  /** The vocabulary of a mixture, surveyed over its first texts. */
  public static ShopVocabulary survey(Mixture mixture) {
    Map<String, Integer> counts = new TreeMap<>();
    for (int n = 0; n < SURVEYED; n++) {
      Mixture.Text text = mixture.text(n);
      count(text.prompt(), counts);
      count(text.completion(), counts);
    }
    Map<String, Integer> ids = new LinkedHashMap<>();
    List<String> tokens = new ArrayList<>(List.of(END, PAD));
    IntStream.range(0, 256).forEach(b -> tokens.add("<0x%02X>".formatted(b)));
    tokens.add("\n");
    IntStream.range(32, 127).forEach(c -> tokens.add(String.valueOf((char) c)));
    counts.forEach(
        (piece, count) -> {
          if (count >= RARE && piece.length() > 1) {
            tokens.add(piece);
          }
        });
    tokens.forEach(token -> ids.put(token, ids.size()));
    return new ShopVocabulary(ids);
  }

  private static void count(String text, Map<String, Integer> counts) {
    Matcher matcher = PATTERN.matcher(text);
    while (matcher.find()) {
      counts.merge(matcher.group(), 1, Integer::sum);
    }
  }

  public int size() {
    return ids.size();
  }

  /** Id of the token that ends a completion. */
  public int end() {
    return id(END);
  }

  private int id(String token) {
    Integer id = ids.get(token);
    if (id == null) {
      throw new IllegalArgumentException("no such token: '" + token + "'");
    }
    return id;
  }

  /** As the tokenizer of {@link #tokenizerJson()} does it, for texts in ASCII. */
  public List<Integer> encode(String text) {
    List<Integer> encoded = new ArrayList<>();
    Matcher matcher = PATTERN.matcher(text);
    while (matcher.find()) {
      String piece = matcher.group();
      Integer whole = ids.get(piece);
      if (whole != null) {
        encoded.add(whole);
      } else {
        piece.chars().forEach(c -> encoded.add(id(String.valueOf((char) c))));
      }
    }
    return encoded;
  }

  /** The content of {@code tokenizer.json}, as a tree of maps and lists. */
  public Map<String, Object> tokenizerJson() {
    Map<String, Object> split = new LinkedHashMap<>();
    split.put("type", "Split");
    split.put("pattern", Map.of("Regex", PIECES));
    split.put("behavior", "Isolated");
    split.put("invert", false);

    Map<String, Object> model = new LinkedHashMap<>();
    model.put("type", "BPE");
    model.put("dropout", null);
    model.put("unk_token", null);
    model.put("continuing_subword_prefix", null);
    model.put("end_of_word_suffix", null);
    model.put("fuse_unk", false);
    model.put("byte_fallback", true);
    model.put("ignore_merges", true);
    model.put("vocab", ids);
    model.put("merges", List.of());

    Map<String, Object> json = new LinkedHashMap<>();
    json.put("version", "1.0");
    json.put("truncation", null);
    json.put("padding", null);
    json.put("added_tokens", List.of(added(END), added(PAD)));
    json.put("normalizer", null);
    json.put("pre_tokenizer", split);
    json.put("post_processor", null);
    json.put(
        "decoder",
        Map.of(
            "type",
            "Sequence",
            "decoders",
            List.of(Map.of("type", "ByteFallback"), Map.of("type", "Fuse"))));
    json.put("model", model);
    return json;
  }

  private Map<String, Object> added(String token) {
    Map<String, Object> added = new LinkedHashMap<>();
    added.put("id", id(token));
    added.put("content", token);
    added.put("single_word", false);
    added.put("lstrip", false);
    added.put("rstrip", false);
    added.put("normalized", false);
    added.put("special", true);
    return added;
  }

  /** For a look at how a text is cut. */
  public String pieces(String text) {
    Map<Integer, String> tokens = new HashMap<>();
    ids.forEach((token, id) -> tokens.put(id, token));
    return encode(text).stream().map(tokens::get).collect(Collectors.joining("|"));
  }
}
