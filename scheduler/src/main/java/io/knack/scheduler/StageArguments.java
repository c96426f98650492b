package io.knack.scheduler;

import io.knack.contracts.id.RunId;
import io.knack.scheduler.NightPlan.Logs;
import io.knack.scheduler.NightPlan.Model;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * The command line of a stage within a night: its plan file, then what the night's plan says of
 * logs and model, then the night's own overrides. The one place that knows which stage wants to
 * hear of what.
 */
final class StageArguments {
  private StageArguments() {}

  static List<String> of(NightPlan plan, Path home, RunId run, String stage) {
    List<String> arguments = new ArrayList<>();
    arguments.addAll(List.of(stage, "--home", home.toString(), "--run", run.value(), "--json"));
    Path file = plan.plans().get(stage);
    if (file != null) {
      arguments.addAll(List.of("--plan", file.toString()));
    }
    Map<String, String> settings = new TreeMap<>();
    switch (stage) {
      case "import" -> logs(plan.logs(), settings);
      case "mine" -> {
        if (plan.encoder() != null) {
          settings.put("encoder", quoted(plan.encoder()));
        }
      }
      case "train" -> {
        directory(plan.model(), settings);
        names(plan.model(), settings);
      }
      case "curate", "reflect" -> {
        model(plan.model(), settings);
        if (plan.model().endpoint() != null && plan.model().name() != null) {
          settings.put("endpoint_model", quoted(plan.model().name()));
        }
      }
      case "evaluate" -> {
        model(plan.model(), settings);
        names(plan.model(), settings);
      }
      default -> {}
    }
    settings.putAll(plan.set().getOrDefault(stage, Map.of()));
    settings.forEach((path, value) -> arguments.addAll(List.of("--set", path + "=" + value)));
    return arguments;
  }

  private static void logs(Logs logs, Map<String, String> settings) {
    if (!logs.input().isEmpty()) {
      settings.put("format", logs.format());
      settings.put(
          "input",
          "["
              + String.join(", ", logs.input().stream().map(StageArguments::quoted).toList())
              + "]");
    }
    logs.map().forEach((field, path) -> settings.put("map." + field, quoted(path)));
  }

  private static void model(Model model, Map<String, String> settings) {
    directory(model, settings);
    if (model.endpoint() != null) {
      settings.put("endpoint", quoted(model.endpoint()));
    }
  }

  private static void directory(Model model, Map<String, String> settings) {
    if (model.directory() != null) {
      settings.put("model", quoted(model.directory()));
    }
  }

  private static void names(Model model, Map<String, String> settings) {
    if (model.name() != null) {
      settings.put("base_model_name", quoted(model.name()));
    }
    if (model.revision() != null) {
      settings.put("base_revision", quoted(model.revision()));
    }
  }

  /** As a YAML text, whatever is in it. */
  private static String quoted(Object value) {
    return "'" + value.toString().replace("'", "''") + "'";
  }
}
