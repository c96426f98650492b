package io.knack.spark.imports;

import io.knack.contracts.plan.Default;
import io.knack.contracts.plan.Doc;
import io.knack.contracts.plan.Range;
import io.knack.contracts.stage.PlanException;
import io.knack.spark.imports.format.MappedLog;
import java.io.Serial;
import java.io.Serializable;
import java.nio.charset.Charset;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.PatternSyntaxException;

/** The plan of {@code import}. */
public record ImportPlan(
    @Doc(
            "auto, or one of openai, litellm, langfuse, otel, mlflow, sharegpt, gsm8k, csv, json, knack")
        @Default("auto")
        Format format,
    @Doc("files and directories: plain, .gz, .zst, .parquet") List<String> input,
    @Doc("field to path, for csv and json of other shapes: prompt: request.text")
        Map<String, String> map,
    @Doc("character set of the files; a byte order mark overrules it") @Default("utf-8")
        String encoding,
    @Doc("a longer line goes to quarantine") @Default("8388608") @Range(min = 1024, max = 67108864)
        long maxLineBytes,
    @Doc(
            "countries whose own way of writing phone numbers is looked for; international ones always are")
        @Default("[US, GB]")
        List<String> phoneRegions,
    @Doc("what else to scrub: name of the placeholder to regular expression")
        Map<String, String> patterns,
    @Doc("interactions without a time get this one, a second later each, in input order")
        @Default("2000-01-01T00:00:00Z")
        String undatedFrom)
    implements Serializable {
  @Serial private static final long serialVersionUID = 1L;

  /** What the records are. */
  public enum Format {
    AUTO,
    OPENAI,
    LITELLM,
    LANGFUSE,
    OTEL,
    MLFLOW,
    SHAREGPT,
    GSM8K,
    CSV,
    JSON,
    KNACK
  }

  public ImportPlan {
    input = List.copyOf(input);
    map = Map.copyOf(map);
    phoneRegions = List.copyOf(phoneRegions);
    patterns = Map.copyOf(patterns);
    List<String> problems = new ArrayList<>(MappedLog.problems(map));
    if (map.isEmpty() && (format == Format.CSV || format == Format.JSON)) {
      problems.add("format csv and json need a map, as --map prompt=COLUMN");
    }
    try {
      Charset.forName(encoding);
    } catch (IllegalArgumentException e) {
      problems.add("encoding '" + encoding + "' is none that Java knows, as utf-8 or windows-1252");
    }
    patterns.forEach(
        (name, regex) -> {
          if (!name.matches("[A-Za-z][A-Za-z_]{0,30}")) {
            problems.add("patterns: '" + name + "' must be letters and underscores");
          }
          try {
            java.util.regex.Pattern.compile(regex);
          } catch (PatternSyntaxException e) {
            problems.add("patterns." + name + ": " + e.getDescription());
          }
        });
    try {
      Instant.parse(undatedFrom);
    } catch (java.time.DateTimeException e) {
      problems.add("undated_from must be a time as 2000-01-01T00:00:00Z");
    }
    if (!problems.isEmpty()) {
      throw new PlanException(problems);
    }
  }
}
