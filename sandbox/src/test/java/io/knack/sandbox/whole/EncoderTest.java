package io.knack.sandbox.whole;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.knack.practice.features.SentenceEncoder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * One line in the night's plan names a sentence encoder, a tiny random one: from mining to {@code
 * route} its vectors are compared, and no other encoder's.
 */
final class EncoderTest {
  private static final Path ENCODERS = Knack.ROOT.resolve("llm/src/test/resources/encoder");

  @TempDir Path scratch;

  @Test
  void oneFieldOfTheNightsPlanIsEnough() throws IOException, InterruptedException {
    Knack knack = new Knack(scratch);
    Path home = scratch.resolve("home");
    Path encoder = ENCODERS.resolve("mean");
    try (GuessingEndpoint model = new GuessingEndpoint()) {
      Path plan = LateFees.plan(scratch, model.address(), "encoder: '" + encoder + "'\n");
      JsonNode night =
          knack
              .run("night", "--home", home.toString(), "--plan", plan.toString(), "--json")
              .succeeded()
              .json();
      assertThat(night.path("reason").asText()).as("%s", night).isEqualTo("promoted");
    }
    JsonNode manifest = knack.run("show", "manifest", "--home", home.toString(), "--json").json();
    assertThat(manifest.path("encoder").path("name").asText()).isEqualTo("mean");
    assertThat(manifest.path("encoder").path("digest").asText())
        .isEqualTo(SentenceEncoder.open(encoder).digest());
    for (JsonNode entry : manifest.path("entries")) {
      // Hashed features lie below 65,536; a sentence vector has none of them.
      assertThat(entry.path("trigger").path("centroid").path("indices").path(0).asInt())
          .isGreaterThanOrEqualTo(1 << 16);
      assertThat(entry.path("episodes").path(0).path("vector").path("indices").path(0).asInt())
          .isGreaterThanOrEqualTo(1 << 16);
    }
    assertThat(route(knack, home).succeeded().json().path("fired").asBoolean()).isTrue();

    // Where nothing says where the encoder lies, and where another one lies.
    try (var notes = Files.list(home.resolve("encoders"))) {
      for (Path note : notes.toList()) {
        Files.delete(note);
      }
    }
    Knack.Ending lost = route(knack, home);
    assertThat(lost.code()).isEqualTo(65);
    assertThat(lost.err())
        .contains("made with the sentence encoder mean (digest ")
        .contains("--encoder DIR");
    Knack.Ending other = route(knack, home, "--encoder", ENCODERS.resolve("distilbert").toString());
    assertThat(other.code()).isEqualTo(65);
    assertThat(other.err()).contains("is another one (digest ");
    assertThat(
            route(knack, home, "--encoder", encoder.toString())
                .succeeded()
                .json()
                .path("fired")
                .asBoolean())
        .isTrue();
  }

  private static Knack.Ending route(Knack knack, Path home, String... more)
      throws IOException, InterruptedException {
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "route",
                "--home",
                home.toString(),
                "--tenant",
                "acme",
                "--prompt",
                String.format(LateFees.ASKS.get(0), 1200),
                "--json"));
    arguments.addAll(List.of(more));
    return knack.run(arguments);
  }
}
