package io.knack.sandbox.whole;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Two tenants ask the same questions, and the right answers differ: 7 percent here, 9 there. From
 * mining to {@code route} nothing learnt from one reaches the other; a second night does nothing.
 */
final class TenantsTest {
  private static final Map<String, Integer> PERCENT = Map.of("acme", 7, "zeta", 9);
  private static final List<String> ASKS =
      List.of(
          "What late fee comes with a bill of %d dollars?",
          "Please tell me the late fee for a bill of %d dollars?",
          "The late fee of a bill of %d dollars?");
  private static final List<String> CHATTER =
      List.of(
          "Translate the greeting number %d into Finnish",
          "Write a short poem about the harbour in winter, verse %d",
          "Which museum opens on day %d of the festival");

  @TempDir Path scratch;

  @Test
  void nothingLearntFromOneReachesTheOther() throws IOException, InterruptedException {
    Knack knack = new Knack(scratch);
    Path home = scratch.resolve("home");
    try (GuessingEndpoint model = new GuessingEndpoint()) {
      Path plan = plan(logs(), model.address());
      List<String> night =
          List.of("night", "--home", home.toString(), "--plan", plan.toString(), "--json");
      JsonNode first = knack.run(night).succeeded().json();
      assertThat(first.path("reason").asText()).as("%s", first).isEqualTo("promoted");
      clustersAreOfOneTenant(knack, home);
      JsonNode manifest = knack.run("show", "manifest", "--home", home.toString(), "--json").json();
      Map<String, String> tenants = new HashMap<>();
      for (JsonNode entry : manifest.path("entries")) {
        String tenant = entry.path("tenant").asText();
        tenants.put(entry.path("cluster_id").asText(), tenant);
        assertThat(entry.path("episodes")).isNotEmpty();
        for (JsonNode episode : entry.path("episodes")) {
          assertThat(episode.path("solution").asText())
              .contains("At " + PERCENT.get(tenant) + " percent");
        }
      }
      assertThat(tenants.values()).containsExactlyInAnyOrder("acme", "zeta");
      for (String tenant : List.of("acme", "zeta", "stranger")) {
        routed(knack, home, tenant, tenants);
      }
      JsonNode second = knack.run(night).succeeded().json();
      assertThat(second.path("run")).isNotEqualTo(first.path("run"));
      assertThat(second.path("reason").asText()).isEqualTo("nothing new since the last night");
    }
  }

  private static void clustersAreOfOneTenant(Knack knack, Path home)
      throws IOException, InterruptedException {
    for (JsonNode cluster :
        knack.run("show", "clusters", "--home", home.toString(), "--json").succeeded().lines()) {
      assertThat(cluster.path("tenants")).as("%s", cluster).hasSize(1);
    }
    for (JsonNode example :
        knack.run("show", "examples", "--home", home.toString(), "--json").succeeded().lines()) {
      String solution = example.path("completion").asText();
      assertThat(solution)
          .as("%s", example)
          .contains("At " + PERCENT.get(example.path("tenant").asText()) + " percent");
    }
  }

  private static void routed(Knack knack, Path home, String tenant, Map<String, String> tenants)
      throws IOException, InterruptedException {
    JsonNode route =
        knack
            .run(
                "route",
                "--home",
                home.toString(),
                "--tenant",
                tenant,
                "--prompt",
                String.format(ASKS.get(0), 1200),
                "--json")
            .succeeded()
            .json();
    if (PERCENT.containsKey(tenant)) {
      assertThat(route.path("fired").asBoolean()).as("%s", route).isTrue();
      assertThat(tenants.get(route.path("cluster_id").asText())).isEqualTo(tenant);
    } else {
      assertThat(route.path("fired").asBoolean()).as("%s", route).isFalse();
    }
    PERCENT.forEach(
        (other, percent) -> {
          if (!other.equals(tenant)) {
            assertThat(route.path("messages").toString()).doesNotContain(percent + " percent");
          }
        });
  }

  private Path logs() throws IOException {
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
        scratch.resolve("log.jsonl"), lines.toString(), StandardCharsets.UTF_8);
  }

  private Path plan(Path logs, String endpoint) throws IOException {
    return Files.writeString(
        scratch.resolve("night.yaml"),
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
            .formatted(logs, endpoint),
        StandardCharsets.UTF_8);
  }
}
