package io.knack.spark.imports;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.lit;

import io.knack.contracts.Outcome;
import io.knack.contracts.cli.Console;
import io.knack.contracts.erasure.ErasedSubjects;
import io.knack.contracts.stage.Stage;
import io.knack.contracts.stage.StageContext;
import io.knack.contracts.stage.StageInput;
import io.knack.contracts.stage.StageInputs;
import io.knack.contracts.stage.StageResult;
import io.knack.contracts.store.Artifact;
import io.knack.contracts.store.ArtifactKind;
import io.knack.contracts.store.Salt;
import io.knack.spark.frame.RowsDigest;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Supplier;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.storage.StorageLevel;

/**
 * Logs in, scrubbed interactions out, as a delta to what was imported before.
 *
 * <p>Every record of the input ends in exactly one place: it is an interaction, it is in
 * quarantine, or it is understood and no interaction. Nothing unscrubbed reaches a file of the
 * workspace.
 */
public final class ImportStage implements Stage<ImportPlan> {
  private final Supplier<SparkSession> session;

  public ImportStage(Supplier<SparkSession> session) {
    this.session = session;
  }

  @Override
  public String name() {
    return "import";
  }

  @Override
  public Class<ImportPlan> planType() {
    return ImportPlan.class;
  }

  @Override
  public ArtifactKind produces() {
    return ArtifactKind.INTERACTIONS;
  }

  @Override
  public List<StageInput> inputs(ImportPlan plan) {
    return List.of(new StageInput(ArtifactKind.INTERACTIONS, StageInput.Need.CHAIN_IF_ANY));
  }

  @Override
  public StageResult run(ImportPlan plan, StageInputs inputs, StageContext context)
      throws IOException {
    List<Artifact> chain = inputs.chain(ArtifactKind.INTERACTIONS);
    if (plan.input().isEmpty() && !chain.isEmpty()) {
      return StageResult.Unchanged.of(
          "no input is named: what was imported before stands",
          Map.of("total", 0, "valid", 0, "quarantined", 0, "duplicates", 0, "added", 0));
    }
    List<InputFile> files = InputFiles.of(plan);
    CsvColumns.check(plan, files);
    SparkSession spark = session.get();
    String salt = Salt.of(context.home()).secret();

    Dataset<Row> read =
        UnitSource.units(spark, plan, files, salt).persist(StorageLevel.MEMORY_AND_DISK());
    try {
      Counts first = Counts.of(read);
      Dataset<Row> units = first.waits() ? UnitSource.join(read, plan, salt) : read;
      Counts counts = first.waits() ? Counts.of(units) : first;
      if (counts.total() == 0) {
        return new StageResult.Nothing(
            "no records in "
                + String.join(", ", plan.input())
                + " ("
                + counts.ignored()
                + " ignored)");
      }
      RowsDigest.Summary added =
          Delta.interactions(
              units, counts, chain, plan, context.output(), ErasedSubjects.read(context.home()));
      RowsDigest.Summary quarantined = Delta.quarantine(units, counts, chain, context.output());
      return result(files, counts, first, added, quarantined, units, context.console());
    } finally {
      read.unpersist();
    }
  }

  private static StageResult result(
      List<InputFile> files,
      Counts counts,
      Counts read,
      RowsDigest.Summary added,
      RowsDigest.Summary newlyQuarantined,
      Dataset<Row> units,
      Console console) {
    long valid = counts.of(Units.INTERACTION);
    long quarantined = counts.of(Units.QUARANTINE);
    if (read.all() != valid + quarantined + counts.ignored()) {
      throw new IllegalStateException(
          "records were lost: "
              + read.kinds()
              + " were read, "
              + counts.kinds()
              + " accounted for");
    }
    Map<String, Object> figures = new LinkedHashMap<>();
    figures.put("files", files.size());
    figures.put("total", valid + quarantined);
    figures.put("valid", valid);
    figures.put("quarantined", quarantined);
    figures.put("duplicates", valid - added.rows());
    figures.put("added", added.rows());
    figures.put("ignored", counts.ignored());
    figures.put("undated", counts.undated());
    for (Outcome outcome : Outcome.values()) {
      String name = outcome.name().toLowerCase(Locale.ROOT);
      figures.put("outcome_" + name, counts.outcomes().getOrDefault(name, 0L));
    }
    if (quarantined > 0) {
      Map<String, Long> reasons = reasons(units);
      figures.put("quarantine_reasons", reasons);
      console.say(
          "import: "
              + quarantined
              + " of "
              + (valid + quarantined)
              + " in quarantine: "
              + reasons
              + "; see './knack show quarantine'");
    }
    if (counts.undated() > 0) {
      console.say(
          "import: " + counts.undated() + " have no time; their order in the input stands for it");
    }
    if (added.rows() == 0 && newlyQuarantined.rows() == 0) {
      return StageResult.Unchanged.of("everything was imported before", figures);
    }
    return StageResult.Produced.of(
        RowsDigest.join(List.of(added.digest(), newlyQuarantined.digest())), 0, figures);
  }

  private static Map<String, Long> reasons(Dataset<Row> units) {
    Map<String, Long> reasons = new LinkedHashMap<>();
    for (Row row :
        units
            .filter(col("kind").equalTo(Units.QUARANTINE))
            .groupBy("reason")
            .agg(count(lit(1)).as("n"))
            .orderBy(col("n").desc(), col("reason"))
            .limit(5)
            .collectAsList()) {
      reasons.put(row.getString(0), row.getLong(1));
    }
    return reasons;
  }
}
