package io.knack.sandbox.whole;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Two tenants ask the same questions, and the right answers differ: 7 percent here, 9 there. From
 * mining to {@code route} nothing learnt from one reaches the other; a second night does nothing.
 */
final class TenantsTest {
  @TempDir Path scratch;

  @Test
  void nothingLearntFromOneReachesTheOther() throws IOException, InterruptedException {
    Knack knack = new Knack(scratch);
    Path home = scratch.resolve("home");
    try (GuessingEndpoint model = new GuessingEndpoint()) {
      Path plan = LateFees.plan(scratch, model.address(), "");
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
              .contains("At " + LateFees.PERCENT.get(tenant) + " percent");
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
          .contains("At " + LateFees.PERCENT.get(example.path("tenant").asText()) + " percent");
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
                String.format(LateFees.ASKS.get(0), 1200),
                "--json")
            .succeeded()
            .json();
    if (LateFees.PERCENT.containsKey(tenant)) {
      assertThat(route.path("fired").asBoolean()).as("%s", route).isTrue();
      assertThat(tenants.get(route.path("cluster_id").asText())).isEqualTo(tenant);
    } else {
      assertThat(route.path("fired").asBoolean()).as("%s", route).isFalse();
    }
    LateFees.PERCENT.forEach(
        (other, percent) -> {
          if (!other.equals(tenant)) {
            assertThat(route.path("messages").toString()).doesNotContain(percent + " percent");
          }
        });
  }
}
