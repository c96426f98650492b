package io.knack.llm.text;

import ai.djl.huggingface.tokenizers.Encoding;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import ai.djl.huggingface.tokenizers.jni.CharSpan;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.knack.contracts.stage.ContractException;
import java.io.ByteArrayInputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A checkpoint's {@code tokenizer.json}, without truncation and padding whatever the file says.
 * Thread-safe.
 */
public final class Tokenizer implements AutoCloseable {
  public static final String FILE = "tokenizer.json";

  private final Path file;
  private final @Nullable JsonNode added;
  private final HuggingFaceTokenizer tokenizer;
  private @Nullable Vocabulary vocabulary;

  /** What DJL's tokenizer does not tell; read from the file when first asked for. */
  private record Vocabulary(Map<String, Integer> ids, Set<Integer> special) {}

  /**
   * @param added tokens beside the vocabulary; null for those of the file
   */
  private Tokenizer(Path file, @Nullable JsonNode added, HuggingFaceTokenizer tokenizer) {
    this.file = file;
    this.added = added;
    this.tokenizer = tokenizer;
  }

  /** What a checkpoint without one is told that is given text. */
  public static ContractException missing(Path directory) {
    return new ContractException(
        directory + ": has no " + FILE + "; only prompts of token ids can be used");
  }

  /**
   * Loads {@code tokenizer.json} from a checkpoint directory, with what a decoder's other files
   * change about it.
   *
   * @throws ContractException naming the file that is missing or cannot be read
   */
  public static Tokenizer load(Path directory) {
    Path file = directory.resolve(FILE);
    if (!Files.isRegularFile(file)) {
      throw new ContractException(file + ": no such file; the checkpoint needs a tokenizer.json");
    }
    TokenizerSettings settings = TokenizerSettings.of(directory);
    try {
      if (settings.change()) {
        return load(directory, settings::apply);
      }
      return new Tokenizer(
          file,
          null,
          HuggingFaceTokenizer.builder()
              .optTokenizerPath(file)
              .optTruncation(false)
              .optPadding(false)
              .build());
    } catch (ContractException e) {
      throw e;
    } catch (IOException | RuntimeException e) {
      throw new ContractException(file + ": cannot be read: " + e.getMessage(), e);
    }
  }

  /**
   * As {@link #load(Path)}, for a checkpoint that says elsewhere what differs from the file.
   *
   * @param edit changes the file's JSON before it is used
   */
  public static Tokenizer load(Path directory, Consumer<ObjectNode> edit) {
    Path file = directory.resolve(FILE);
    ObjectMapper json = new ObjectMapper();
    try {
      if (!(json.readTree(file.toFile()) instanceof ObjectNode root)) {
        throw new ContractException(file + ": not a JSON object");
      }
      edit.accept(root);
      return new Tokenizer(
          file,
          root.path("added_tokens"),
          HuggingFaceTokenizer.newInstance(
              new ByteArrayInputStream(json.writeValueAsBytes(root)),
              Map.of("truncation", "false", "padding", "false")));
    } catch (FileNotFoundException e) {
      throw new ContractException(
          file + ": no such file; the checkpoint needs a tokenizer.json", e);
    } catch (ContractException e) {
      throw e;
    } catch (IOException | RuntimeException e) {
      throw new ContractException(file + ": cannot be read: " + e.getMessage(), e);
    }
  }

  /** Whether the checkpoint's own special tokens are put around the text. */
  public enum Specials {
    ADDED,
    NONE
  }

  /** Special tokens that stand in the text as such are recognised in either case. */
  public List<Integer> encode(String text, Specials specials) {
    Encoding encoding = tokenizer.encode(text, specials == Specials.ADDED, false);
    return Arrays.stream(encoding.getIds()).mapToObj(id -> (int) id).toList();
  }

  /**
   * A token and where it came from.
   *
   * @param start in UTF-16 units of the text; start and end are equal for a token that was added
   * @param end exclusive; tokens that share a character have the same span
   */
  public record Token(int id, int start, int end) {}

  /** As {@link #encode}, with the place of each token in the text. */
  public List<Token> tokens(String text, Specials specials) {
    Encoding encoding = tokenizer.encode(text, specials == Specials.ADDED, false);
    long[] ids = encoding.getIds();
    CharSpan[] spans = encoding.getCharTokenSpans();
    int[] units = utf16(text);
    List<Token> tokens = new ArrayList<>(ids.length);
    for (int i = 0; i < ids.length; i++) {
      CharSpan span = spans[i];
      tokens.add(
          span == null
              ? new Token((int) ids[i], 0, 0)
              : new Token((int) ids[i], units[span.getStart()], units[span.getEnd()]));
    }
    return tokens;
  }

  /** Where each code point starts, and the end. */
  private static int[] utf16(String text) {
    int[] units = new int[text.codePointCount(0, text.length()) + 1];
    for (int i = 0, at = 0; i < units.length; i++) {
      units[i] = at;
      at += at < text.length() ? Character.charCount(text.codePointAt(at)) : 0;
    }
    return units;
  }

  /** The text of ids, special tokens left out. */
  public String decode(List<Integer> ids) {
    return decode(ids, true);
  }

  /** The text of ids, special tokens as they are written. */
  public String decodeAll(List<Integer> ids) {
    return decode(ids, false);
  }

  private String decode(List<Integer> ids, boolean skipSpecial) {
    return tokenizer.decode(ids.stream().mapToLong(Integer::longValue).toArray(), skipSpecial);
  }

  /** The id of a token as the vocabulary writes it; empty where there is none. */
  public OptionalInt id(String token) {
    Integer id = vocabulary().ids().get(token);
    return id == null ? OptionalInt.empty() : OptionalInt.of(id);
  }

  /** Ids of the tokens that decoding leaves out. */
  public Set<Integer> specialIds() {
    return vocabulary().special();
  }

  private synchronized Vocabulary vocabulary() {
    Vocabulary known = vocabulary;
    if (known == null) {
      known = read(file, added);
      vocabulary = known;
    }
    return known;
  }

  private static Vocabulary read(Path file, @Nullable JsonNode edited) {
    JsonNode root;
    try {
      root = new ObjectMapper().readTree(file.toFile());
    } catch (IOException e) {
      throw new ContractException(file + ": cannot be read: " + e.getMessage(), e);
    }
    Map<String, Integer> ids = new HashMap<>();
    JsonNode vocabulary = root.path("model").path("vocab");
    if (vocabulary.isArray()) { // Unigram: pairs of piece and score.
      for (int i = 0; i < vocabulary.size(); i++) {
        ids.put(vocabulary.path(i).path(0).asText(), i);
      }
    } else {
      vocabulary.properties().forEach(entry -> ids.put(entry.getKey(), entry.getValue().asInt()));
    }
    Set<Integer> special = new HashSet<>();
    for (JsonNode added : edited == null ? root.path("added_tokens") : edited) {
      ids.put(added.path("content").asText(), added.path("id").asInt());
      if (added.path("special").asBoolean()) {
        special.add(added.path("id").asInt());
      }
    }
    return new Vocabulary(ids, Collections.unmodifiableSet(special));
  }

  /** Starts to decode a stream of ids. */
  public Stream stream() {
    return new Stream(this);
  }

  /**
   * Text that grows with its ids. What one id adds may be nothing yet: the bytes of a character can
   * be spread over several ids, and a decoder may treat a piece differently at the start of a text.
   * So the text is decoded from a few ids back, and held as long as it ends in a broken character.
   * Linear in the ids. Not for several threads.
   */
  public static final class Stream {
    private final Tokenizer tokenizer;
    private final List<Integer> ids = new ArrayList<>();
    private final StringBuilder text = new StringBuilder();
    private int from;
    private int shown;

    private Stream(Tokenizer tokenizer) {
      this.tokenizer = tokenizer;
    }

    /** Takes the next id and returns what became readable by it. */
    public String push(int id) {
      ids.add(id);
      String before = tokenizer.decode(ids.subList(from, shown));
      String now = tokenizer.decode(ids.subList(from, ids.size()));
      if (now.length() <= before.length() || now.endsWith("\ufffd")) {
        return "";
      }
      return show(now.substring(before.length()));
    }

    /** Returns what is held back, broken characters included. */
    public String finish() {
      String before = tokenizer.decode(ids.subList(from, shown));
      String now = tokenizer.decode(ids.subList(from, ids.size()));
      return now.length() > before.length() ? show(now.substring(before.length())) : "";
    }

    /** All that was returned. */
    public String text() {
      return text.toString();
    }

    private String show(String added) {
      from = shown;
      shown = ids.size();
      text.append(added);
      return added;
    }
  }

  @Override
  public void close() {
    tokenizer.close();
  }
}
