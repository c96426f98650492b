package io.knack.spark.imports;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.knack.contracts.cli.StageOptions;
import io.knack.spark.frame.Sessions;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code ./knack import}. */
@Command(
    name = "import",
    mixinStandardHelpOptions = true,
    description = "Reads logs into the workspace: scrubbed, deduplicated, bad lines in quarantine.",
    footer = {
      "",
      "Examples:",
      "  ./knack import --input logs/ --home knack-home",
      "  ./knack import --format csv --input faq.csv --map id=row,prompt=question,subject=user",
      "  ./knack import --format json --input my.jsonl --map prompt=request.text,completion=answer,verified=ok"
    })
public final class ImportCommand implements Callable<Integer> {
  @Mixin private StageOptions options = new StageOptions();

  @Option(
      names = "--format",
      paramLabel = "FORMAT",
      description =
          "auto, openai, litellm, langfuse, otel, mlflow, sharegpt, gsm8k, csv, json or knack")
  private @Nullable String format;

  @Option(
      names = "--input",
      arity = "1..*",
      paramLabel = "PATH",
      description = "files or directories; plain, .gz, .zst or .parquet")
  private List<String> inputs = new ArrayList<>();

  @Option(
      names = "--map",
      split = ",",
      paramLabel = "FIELD=PATH",
      description =
          "where a CSV or JSON of your own keeps id, prompt, completion, score, verified, time, subject, tenant, ..")
  private Map<String, String> map = new LinkedHashMap<>();

  @Override
  public Integer call() throws JsonProcessingException {
    ObjectMapper json = new ObjectMapper(); // JSON is YAML
    if (format != null) {
      options.overrides.add("format=" + format);
    }
    if (!inputs.isEmpty()) {
      options.overrides.add("input=" + json.writeValueAsString(inputs));
    }
    if (!map.isEmpty()) {
      options.overrides.add("map=" + json.writeValueAsString(map));
    }
    try (Sessions sessions = new Sessions("import")) {
      return options.run(new ImportStage(sessions));
    }
  }
}
