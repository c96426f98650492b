package io.knack.sandbox.study;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import io.knack.contracts.Example;
import io.knack.contracts.Message;
import io.knack.contracts.Split;
import io.knack.contracts.VerifierSpec;
import io.knack.contracts.id.ClusterId;
import io.knack.contracts.id.ExampleId;
import io.knack.contracts.id.InteractionId;
import io.knack.contracts.id.TenantId;
import io.knack.contracts.stage.ContractException;
import io.knack.contracts.store.Jsons;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What a study learns from and what it asks.
 *
 * @param known problems of clusters (training and validation), mostly without a solution, and
 *     problems of no cluster (anchor)
 * @param levels problems by level, {@code S1} to {@code S5}
 * @param routed problems by level on which triggers alone are counted; may be many
 */
public record ProblemSet(
    List<Example> known,
    SortedMap<String, List<Example>> levels,
    SortedMap<String, List<Example>> routed) {
  private static final List<String> LEVELS = List.of("S1", "S2", "S3", "S4", "S5");

  /** Of five problems of a cluster in a file, this many are learnt from; the rest validate. */
  private static final int LEARNT_OF_FIVE = 3;

  private static final Instant EPOCH = Instant.parse("2026-01-05T08:00:00Z");

  public ProblemSet {
    known = List.copyOf(known);
  }

  /** An example as studies need it. */
  static Example example(
      String id,
      @Nullable String cluster,
      String tenant,
      String prompt,
      @Nullable String completion,
      @Nullable String reference,
      VerifierSpec verifier,
      Split split) {
    return new Example(
        new ExampleId(id),
        cluster == null ? null : new ClusterId(cluster),
        List.of(new InteractionId(id)),
        EPOCH,
        null,
        new TenantId(tenant),
        null,
        Map.of(),
        List.of(Message.user(prompt)),
        completion,
        reference,
        verifier,
        1,
        1,
        split);
  }

  /**
   * Reads a file of JSON lines. {@code level} is {@code learn}, {@code anchor} or {@code S1} to
   * {@code S5}; {@code prompt} the problem; {@code reference} its right answer; {@code cluster}
   * says, where the level is {@code learn}, which problems one memory serves. {@code completion} (a
   * solution known to be right), {@code verifier} ({@code numeric} by default, or {@code exact} or
   * {@code choice}), {@code tenant} and {@code id} may be left out.
   *
   * @throws ContractException naming the first line that is not so
   */
  public static ProblemSet read(Path file) {
    List<String> lines;
    try {
      lines = Files.readAllLines(file);
    } catch (NoSuchFileException e) {
      throw new ContractException("there is no problem set at " + file, e);
    } catch (IOException e) {
      throw new ContractException("the problem set " + file + " cannot be read: " + e, e);
    }
    List<Example> known = new ArrayList<>();
    SortedMap<String, List<Example>> levels = new TreeMap<>();
    Map<String, Integer> seen = new HashMap<>();
    for (int i = 0; i < lines.size(); i++) {
      if (lines.get(i).isBlank()) {
        continue;
      }
      String where = file + ", line " + (i + 1);
      JsonNode row = row(lines.get(i), where);
      String level = required(row, "level", where);
      String prompt = required(row, "prompt", where);
      String reference = required(row, "reference", where);
      String id = row.path("id").asText("line-" + (i + 1));
      String tenant = row.path("tenant").asText("study");
      VerifierSpec verifier = new VerifierSpec(row.path("verifier").asText("numeric"), Map.of());
      String completion = row.hasNonNull("completion") ? row.get("completion").asText() : null;
      if (LEVELS.contains(level)) {
        levels
            .computeIfAbsent(level, l -> new ArrayList<>())
            .add(example(id, null, tenant, prompt, null, reference, verifier, Split.HOLDOUT));
      } else if (level.equals("anchor")) {
        known.add(example(id, null, tenant, prompt, null, reference, verifier, Split.ANCHOR));
      } else if (level.equals("learn")) {
        String cluster = required(row, "cluster", where);
        int at = seen.merge(cluster, 1, Integer::sum) - 1;
        Split split = at % 5 < LEARNT_OF_FIVE ? Split.TRAIN : Split.VALIDATION;
        known.add(example(id, cluster, tenant, prompt, completion, reference, verifier, split));
      } else {
        throw new ContractException(
            where + ": level is '" + level + "', expected learn, anchor or one of " + LEVELS);
      }
    }
    if (seen.isEmpty() || levels.isEmpty()) {
      throw new ContractException(
          file
              + " holds "
              + seen.size()
              + " clusters to learn from and "
              + levels.size()
              + " levels to ask; a study needs both: lines with level 'learn', and with S1 to S5");
    }
    return new ProblemSet(known, levels, levels);
  }

  private static JsonNode row(String line, String where) {
    try {
      return Jsons.mapper().readTree(line);
    } catch (JsonProcessingException e) {
      throw new ContractException(where + " is not JSON: " + e.getOriginalMessage(), e);
    }
  }

  private static String required(JsonNode row, String field, String where) {
    String value = row.path(field).asText("");
    if (value.isEmpty()) {
      throw new ContractException(where + " has no '" + field + "'");
    }
    return value;
  }

  /** At most so many problems a level; those that come first. */
  ProblemSet atMost(int problemsPerLevel) {
    SortedMap<String, List<Example>> fewer = new TreeMap<>();
    levels.forEach(
        (level, problems) ->
            fewer.put(level, problems.subList(0, Math.min(problems.size(), problemsPerLevel))));
    return new ProblemSet(known, fewer, routed);
  }
}
