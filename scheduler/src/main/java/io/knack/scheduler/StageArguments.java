package io.knack.scheduler;

import io.knack.contracts.id.RunId;
import io.knack.scheduler.NightPlan.Logs;
import io.knack.scheduler.NightPlan.Model;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
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

  /** Whether the stage's plan has more in it than what is right by itself. */
  static boolean special(NightPlan plan, String stage) {
    boolean mapped =
        !plan.logs().map().isEmpty()
            || (!plan.logs().input().isEmpty() && !plan.logs().format().equals("auto"));
    return plan.plans().containsKey(stage)
        || plan.set().containsKey(stage)
        || (stage.equals("import") && mapped);
  }

  /** What the stage cannot do its work without, and the night's plan does not give; a line each. */
  static List<String> lacking(NightPlan plan, String stage) {
    List<String> lacking = new ArrayList<>();
    switch (stage) {
      case "import" -> {
        for (Path input : plan.logs().input()) {
          if (!Files.isReadable(input)) {
            lacking.add(
                "  logs.input: " + input + " is no file or directory that can be read here");
          }
        }
      }
      case "evaluate" -> {
        Set<String> set = plan.set().getOrDefault(stage, Map.of()).keySet();
        if (plan.model().directory() == null
            && plan.model().endpoint() == null
            && !plan.plans().containsKey(stage)
            && !set.contains("model")
            && !set.contains("endpoint")) {
          lacking.add(
              "  model: names neither a directory nor an endpoint, and evaluate measures with the"
                  + " served model; set model.directory or model.endpoint");
        }
      }
      default -> {}
    }
    return lacking;
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
