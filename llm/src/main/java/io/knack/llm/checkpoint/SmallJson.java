package io.knack.llm.checkpoint;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.knack.contracts.stage.ContractException;
import io.knack.contracts.store.Jsons;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** The JSON files of checkpoints and adapters, which come from strangers. */
public final class SmallJson {
  /** The index of a checkpoint with a hundred thousand tensors has some 10 MB. */
  private static final long LARGEST = 64L << 20;

  private static final ObjectMapper JSON = new ObjectMapper();

  private SmallJson() {}

  /**
   * Reads a file that must hold one JSON object.
   *
   * @throws ContractException naming the file, when it is missing, too large, no JSON or no object
   */
  public static JsonNode read(Path file) {
    JsonNode root = readAny(file);
    if (!root.isObject()) {
      throw new ContractException(file + ": not a JSON object");
    }
    return root;
  }

  /**
   * Reads a file of any size to its end and keeps nothing of it.
   *
   * @throws ContractException naming the file, when it is no JSON
   */
  public static void check(Path file) {
    try (JsonParser parser = JSON.createParser(file.toFile())) {
      if (parser.nextToken() == null) {
        throw new ContractException(file + ": is empty, expected JSON");
      }
      parser.skipChildren();
      if (parser.nextToken() != null) {
        throw new ContractException(file + ": has more than one JSON document");
      }
    } catch (JsonProcessingException e) {
      throw new ContractException(file + ": is no JSON: " + Jsons.words(e), e);
    } catch (IOException e) {
      throw new ContractException(file + ": cannot be read: " + e.getMessage(), e);
    }
  }

  /** As {@link #read}; an empty object where there is no such file. */
  public static JsonNode optional(Path file) {
    return Files.isRegularFile(file) ? read(file) : JSON.createObjectNode();
  }

  /**
   * As {@link #read}, for a file that may hold a list.
   *
   * @throws ContractException naming the file, when it is missing, too large or no JSON
   */
  public static JsonNode readAny(Path file) {
    if (!Files.isRegularFile(file)) {
      throw new ContractException(file + ": no such file");
    }
    try {
      long size = Files.size(file);
      if (size > LARGEST) {
        throw new ContractException(
            file + ": has " + size + " bytes, expected a JSON file of at most " + LARGEST);
      }
      JsonNode root = JSON.readTree(file.toFile());
      if (root == null) {
        throw new ContractException(file + ": is empty, expected JSON");
      }
      return root;
    } catch (JsonProcessingException e) {
      throw new ContractException(file + ": is no JSON: " + Jsons.words(e), e);
    } catch (IOException e) {
      throw new ContractException(file + ": cannot be read: " + e.getMessage(), e);
    }
  }
}
