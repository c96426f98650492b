package io.knack.evaluator;

import com.fasterxml.jackson.core.JsonProcessingException;
import io.knack.contracts.Manifest;
import io.knack.contracts.cli.HomeOptions;
import io.knack.contracts.stage.ExitCode;
import io.knack.contracts.store.Jsons;
import io.knack.contracts.store.ServingManifests;
import java.time.Instant;
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
    Optional<LastNight> night = LastNight.of(options.home);
    Optional<Instant> next = LastNight.next(options.home, Instant.now());
    Map<String, @Nullable Object> status = new LinkedHashMap<>();
    status.put("manifest", live.map(Manifest::number).orElse(null));
    status.put("since", live.map(Manifest::createdAt).orElse(null));
    status.put("why", live.map(Manifest::reason).orElse(null));
    status.put("entries", live.map(m -> m.entries().size()).orElse(0));
    status.put("last_night", night.orElse(null));
    status.put("next_night", next.map(Instant::toString).orElse(null));
    if (options.json) {
      System.out.println(Jsons.mapper().writeValueAsString(status));
    } else {
      text(live, night, next);
    }
    return ExitCode.OK.code();
  }

  private static void text(
      Optional<Manifest> live, Optional<LastNight> night, Optional<Instant> next) {
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
        last ->
            System.out.println(
                "last night, run "
                    + last.run()
                    + ": "
                    + (last.verdict() == null ? "" : last.verdict() + ": ")
                    + last.reason()));
    next.ifPresent(at -> System.out.println("next night " + at));
  }
}
