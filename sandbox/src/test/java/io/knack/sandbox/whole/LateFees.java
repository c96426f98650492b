package io.knack.sandbox.whole;

import io.knack.contracts.store.Jsons;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** A log of two firms that ask for late fees, and the plan of a night on it. */
final class LateFees {
  static final Map<String, Integer> PERCENT = Map.of("acme", 7, "zeta", 9);
  static final List<String> ASKS =
      List.of(
          "What late fee comes with a bill of %d dollars?",
          "Please tell me the late fee for a bill of %d dollars?",
          "The late fee of a bill of %d dollars?");
  static final List<String> CHATTER =
      List.of(
          "Translate the greeting number %d into Finnish",
          "Write a short poem about the harbour in winter, verse %d",
          "Which museum opens on day %d of the festival");

  private LateFees() {}

  private static Path logs(Path directory) throws IOException {
    Random random = new Random(11);
    StringBuilder lines = new StringBuilder();
    for (int i = 0; i < 420; i++) {
      String tenant = i % 2 == 0 ? "acme" : "zeta";
      int percent = PERCENT.getOrDefault(tenant, 0);
      int dollars = 100 * (1 + random.nextInt(60));
      boolean fee = random.nextInt(10) < 7;
      String text =
          fee
              ? String.format(ASKS.get(random.nextInt(ASKS.size())), dollars)
              : String.format(CHATTER.get(random.nextInt(CHATTER.size())), dollars);
      Map<String, String> line = new HashMap<>();
      line.put("id", "r" + i);
      line.put("q", text);
      line.put(
          "a",
          fee ? "At " + percent + " percent the fee is " + dollars * percent / 100 : "Gladly.");
      if (fee) {
        line.put("right", String.valueOf(dollars * percent / 100));
      }
      line.put("who", tenant + "-" + random.nextInt(12));
      line.put("firm", tenant);
      line.put("at", Instant.parse("2026-03-01T00:00:00Z").plusSeconds(600L * i).toString());
      lines.append(Jsons.mapper().writeValueAsString(line)).append('\n');
    }
    return Files.writeString(
        directory.resolve("log.jsonl"), lines.toString(), StandardCharsets.UTF_8);
  }

  /**
   * The plan of a night on that log, which is written beside it.
   *
   * @param endpoint of the model
   * @param more lines of the plan
   */
  static Path plan(Path directory, String endpoint, String more) throws IOException {
    return Files.writeString(
        directory.resolve("night.yaml"),
        """
        logs:
          format: json
          input: ['%s']
          map: {id: id, prompt: q, completion: a, reference: right, time: at, subject: who, tenant: firm}
        model: {endpoint: '%s', name: guesser}
        memories: [episodes]
        set:
          curate: {min_train: '6', min_validation: '2', min_holdout: '4', anchor_size: '0'}
          evaluate:
            gate.margin: '0.2'
            gate.alpha: '0.1'
            gate.least_anchor: '0'
        """
                .formatted(logs(directory), endpoint)
            + more,
        StandardCharsets.UTF_8);
  }
}
