package io.knack.evaluator;

import com.fasterxml.jackson.core.JsonProcessingException;
import io.knack.contracts.Manifest;
import io.knack.contracts.cli.Console;
import io.knack.contracts.cli.HomeOptions;
import io.knack.contracts.stage.ExitCode;
import io.knack.contracts.store.Jsons;
import io.knack.evaluator.promote.PromotePlan;
import io.knack.evaluator.promote.Promotion;
import io.knack.tracking.RunTracker;
import java.time.Clock;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code history}: every manifest there was. */
@Command(
    name = "history",
    mixinStandardHelpOptions = true,
    description = "Every manifest there was, the newest first.",
    footer = {"", "example: ./knack history --json"})
public final class HistoryCommand implements Callable<Integer> {
  @Mixin private HomeOptions options = new HomeOptions();

  @Override
  public Integer call() throws JsonProcessingException {
    List<Manifest> manifests =
        new ArrayList<>(
            new Promotion(
                    options.home,
                    PromotePlan.FILES,
                    RunTracker.none(),
                    Clock.systemUTC(),
                    Console.silent())
                .history());
    java.util.Collections.reverse(manifests);
    if (options.json) {
      List<Map<String, @Nullable Object>> lines = new ArrayList<>();
      for (Manifest manifest : manifests) {
        Map<String, @Nullable Object> line = new LinkedHashMap<>();
        line.put("manifest", manifest.number());
        line.put("previous", manifest.previous());
        line.put("since", manifest.createdAt());
        line.put("entries", manifest.entries().size());
        line.put("reason", manifest.reason());
        line.put("live", manifest.equals(manifests.get(0)));
        lines.add(line);
      }
      System.out.println(Jsons.mapper().writeValueAsString(lines));
    } else if (manifests.isEmpty()) {
      System.out.println("nothing was promoted yet");
    } else {
      for (Manifest manifest : manifests) {
        System.out.printf(
            "%s %s  %s  %d entries  %s%n",
            manifest.equals(manifests.get(0)) ? "*" : " ",
            Manifest.name(manifest.number()),
            manifest.createdAt(),
            manifest.entries().size(),
            manifest.reason());
      }
    }
    return ExitCode.OK.code();
  }
}
