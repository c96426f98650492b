package io.knack.evaluator;

import com.fasterxml.jackson.core.JsonProcessingException;
import io.knack.contracts.Manifest;
import io.knack.contracts.cli.HomeOptions;
import io.knack.contracts.stage.ContractException;
import io.knack.contracts.stage.ExitCode;
import io.knack.contracts.store.Artifact;
import io.knack.contracts.store.ArtifactKind;
import io.knack.contracts.store.ArtifactStore;
import io.knack.contracts.store.Jsons;
import io.knack.practice.route.ServingManifests;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code status}: what is live, since when, why. */
@Command(
    name = "status",
    mixinStandardHelpOptions = true,
    description = "What is live, since when and why, and how the last night ended.",
    footer = {"", "example: ./knack status --json"})
public final class StatusCommand implements Callable<Integer> {
  @Mixin private HomeOptions options = new HomeOptions();

  @Override
  public Integer call() throws JsonProcessingException {
    Optional<Manifest> live = new ServingManifests(options.home).live();
    Optional<Artifact> night =
        Files.isDirectory(options.home)
            ? ArtifactStore.open(options.home).latest(ArtifactKind.EVALUATION)
            : Optional.empty();
    Map<String, @Nullable Object> status = new LinkedHashMap<>();
    status.put("manifest", live.map(Manifest::number).orElse(null));
    status.put("since", live.map(Manifest::createdAt).orElse(null));
    status.put("why", live.map(Manifest::reason).orElse(null));
    status.put("entries", live.map(m -> m.entries().size()).orElse(0));
    status.put("last_night", night.map(StatusCommand::lastNight).orElse(null));
    status.put("next_night", nextNight(options.home));
    if (options.json) {
      System.out.println(Jsons.mapper().writeValueAsString(status));
    } else {
      text(live, night);
      String next = nextNight(options.home);
      if (next != null) {
        System.out.println("next night: " + next);
      }
    }
    return ExitCode.OK.code();
  }

  /** As the schedule last said; null where no schedule has run here. */
  private static @Nullable String nextNight(Path home) {
    Path file = home.resolve("schedule").resolve("next.json");
    try {
      return Files.exists(file)
          ? Jsons.mapper().readTree(Files.readString(file)).path("next_night").textValue()
          : null;
    } catch (JsonProcessingException e) {
      throw new ContractException(file + " is no JSON: " + e.getOriginalMessage(), e);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + file, e);
    }
  }

  private static Map<String, Object> lastNight(Artifact evaluation) {
    Map<String, Object> figures = evaluation.card().figures();
    Map<String, Object> night = new LinkedHashMap<>();
    night.put("run", evaluation.card().run().value());
    night.put("verdict", figures.getOrDefault("verdict", "unknown"));
    night.put("reason", figures.getOrDefault("rule", ""));
    return night;
  }

  private static void text(Optional<Manifest> live, Optional<Artifact> night) {
    if (live.isEmpty()) {
      System.out.println("nothing was promoted yet: every request goes to the base model");
    } else {
      Manifest manifest = live.get();
      System.out.println("manifest " + manifest.number() + ", live since " + manifest.createdAt());
      System.out.println("  " + manifest.reason());
      for (Manifest.Entry entry : manifest.entries()) {
        System.out.println(
            "  "
                + entry.clusterId()
                + (entry.tenant() == null ? "" : " (" + entry.tenant() + ")")
                + ": "
                + entry.memory());
      }
    }
    night.ifPresent(
        evaluation -> {
          Map<String, Object> last = lastNight(evaluation);
          System.out.println(
              "last night, run "
                  + last.get("run")
                  + ": "
                  + last.get("verdict")
                  + ": "
                  + last.get("reason"));
        });
  }
}
