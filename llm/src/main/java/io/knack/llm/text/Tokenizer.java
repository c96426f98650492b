package io.knack.llm.text;

import ai.djl.huggingface.tokenizers.Encoding;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import io.knack.contracts.stage.ContractException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/** A checkpoint's {@code tokenizer.json}. Thread-safe. */
public final class Tokenizer implements AutoCloseable {
  private final HuggingFaceTokenizer tokenizer;

  private Tokenizer(HuggingFaceTokenizer tokenizer) {
    this.tokenizer = tokenizer;
  }

  /** Loads {@code tokenizer.json} from a checkpoint directory. */
  public static Tokenizer load(Path directory) {
    Path file = directory.resolve("tokenizer.json");
    if (!Files.isRegularFile(file)) {
      throw new ContractException(file + ": no such file; the checkpoint needs a tokenizer.json");
    }
    try {
      return new Tokenizer(
          HuggingFaceTokenizer.builder()
              .optTokenizerPath(file)
              .optTruncation(false)
              .optPadding(false)
              .build());
    } catch (IOException | RuntimeException e) {
      throw new ContractException(file + ": cannot be read: " + e.getMessage(), e);
    }
  }

  /** Whether the checkpoint's own special tokens are put around the text. */
  public enum Specials {
    ADDED,
    NONE
  }

  public List<Integer> encode(String text, Specials specials) {
    Encoding encoding = tokenizer.encode(text, specials == Specials.ADDED, false);
    return Arrays.stream(encoding.getIds()).mapToObj(id -> (int) id).toList();
  }

  /** The text of ids, special tokens left out. */
  public String decode(List<Integer> ids) {
    return tokenizer.decode(ids.stream().mapToLong(Integer::longValue).toArray(), true);
  }

  @Override
  public void close() {
    tokenizer.close();
  }
}
