package io.knack.contracts.show;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.knack.contracts.cli.HomeOptions;
import io.knack.contracts.id.RunId;
import io.knack.contracts.stage.ContractException;
import io.knack.contracts.stage.PlanException;
import io.knack.contracts.stage.RunRecord;
import io.knack.contracts.stage.StageRunner;
import io.knack.contracts.stage.TemporaryException;
import io.knack.contracts.store.Artifact;
import io.knack.contracts.store.ArtifactKind;
import io.knack.contracts.store.ArtifactRef;
import io.knack.contracts.store.ArtifactStore;
import io.knack.contracts.store.Jsons;
import io.knack.contracts.store.ServingManifests;
import io.knack.contracts.table.Table;
import io.knack.contracts.table.Tables;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code show REF}: any table, artifact, Parquet file or run. */
@Command(
    name = "show",
    mixinStandardHelpOptions = true,
    description = "Shows a table, an artifact, a Parquet file or a run.",
    footer = {
      "",
      "REF is a table (interactions, quarantine, clusters, members, examples, evidence, episodes,",
      "trials, rules, report, manifest), 'artifacts', 'runs', a run id, an artifact (KIND@DIGEST,"
          + " a",
      "prefix of the digest will do), or the path of a Parquet file or directory.",
      "",
      "Example: ./knack show clusters --json --limit 3"
    })
public final class ShowCommand implements Callable<Integer> {
  private static final ObjectMapper JSON = Jsons.mapper();
  private static final int TEXT_LIMIT = 20;

  @Mixin HomeOptions home = new HomeOptions();

  @Parameters(paramLabel = "REF", description = "what to show")
  String ref = "";

  @Option(names = "--run", paramLabel = "ID", description = "as handed on in this run")
  @Nullable String run;

  @Option(names = "--limit", paramLabel = "N", description = "at most so many rows")
  @Nullable Long limit;

  @Spec @Nullable CommandSpec spec;

  @Override
  public Integer call() {
    if (limit != null && limit < 0) {
      throw new PlanException("--limit " + limit + ": expected 0 or more");
    }
    if (ref.isBlank()) {
      throw new PlanException(
          "nothing to show for '" + ref + "'; './knack show --help' lists what there is");
    }
    Optional<Table<?>> table =
        Tables.ALL.stream().filter(known -> known.name().equals(ref)).findFirst();
    if (table.isPresent()) {
      print(rows(table.get()));
    } else if (ref.equals("rules")) {
      print(jsonRows(latest(ArtifactKind.RULES).file("rules.json"), "rules"));
    } else if (ref.equals("report")) {
      out().println(pretty(latest(ArtifactKind.EVALUATION).file("report.json")));
    } else if (ref.equals("manifest")) {
      showManifest();
    } else if (ref.equals("artifacts")) {
      print(artifacts().map(ShowCommand::artifactRow));
    } else if (ref.equals("runs")) {
      print(shownRuns().flatMap(this::records).map(ShowCommand::recordRow));
    } else if (ref.contains("@")) {
      showArtifact();
    } else if (Files.exists(Path.of(ref))) {
      print(parquetRows(Path.of(ref)));
    } else if (runIds().anyMatch(ref::equals)) {
      print(records(ref).map(ShowCommand::recordRow));
    } else {
      throw new PlanException(
          "nothing to show for '"
              + ref
              + "': it is no table ("
              + Tables.ALL.stream().map(Table::name).collect(Collectors.joining(", "))
              + ", rules, report, manifest, artifacts, runs), no run in "
              + home.home
              + ", no KIND@DIGEST and no path");
    }
    return 0;
  }

  // ---- tables

  private <T extends Record> Stream<String> rows(Table<T> table) {
    ArtifactKind kind = kindOf(table);
    boolean deltas = kind == ArtifactKind.INTERACTIONS;
    List<Artifact> artifacts = deltas ? chain(kind) : List.of(latest(kind));
    return artifacts.stream()
        .filter(artifact -> table.isIn(artifact.directory()))
        .peek(store()::verifyListing)
        .flatMap(artifact -> table.readFrom(artifact.directory()))
        .map(table::json);
  }

  private static ArtifactKind kindOf(Table<?> table) {
    return switch (table.name()) {
      case "interactions", "quarantine" -> ArtifactKind.INTERACTIONS;
      case "clusters", "members" -> ArtifactKind.CLUSTERS;
      case "examples", "evidence" -> ArtifactKind.CURRICULUM;
      case "episodes" -> ArtifactKind.EPISODES;
      case "trials" -> ArtifactKind.EVALUATION;
      default -> throw new IllegalStateException(table.name());
    };
  }

  private List<Artifact> chain(ArtifactKind kind) {
    List<Artifact> chain = store().chain(kind);
    if (chain.isEmpty()) {
      throw new ContractException(
          "no " + kind.wire() + " in " + home.home + "; './knack show runs' lists what was run");
    }
    if (run == null) {
      return chain;
    }
    List<Artifact> ofRun = chain.stream().filter(artifact -> handedOn(artifact, kind)).toList();
    if (ofRun.isEmpty()) {
      throw new ContractException(
          "run "
              + run
              + " handed on no "
              + kind.wire()
              + "; './knack show runs --home "
              + home.home
              + "' lists the runs");
    }
    return ofRun;
  }

  private boolean handedOn(Artifact artifact, ArtifactKind kind) {
    RunId id = StageRunner.checkedRunId(String.valueOf(run));
    return artifact.card().run().equals(id)
        || records(id.value())
            .anyMatch(
                record -> record.artifact() != null && record.artifact().equals(artifact.ref()))
        || (kind == ArtifactKind.INTERACTIONS
            && records(id.value()).anyMatch(record -> record.inputs().contains(artifact.ref())));
  }

  private Artifact latest(ArtifactKind kind) {
    List<Artifact> chain = chain(kind);
    return chain.get(chain.size() - 1);
  }

  private Stream<String> parquetRows(Path path) {
    List<Path> files;
    if (Files.isDirectory(path)) {
      try (Stream<Path> walk = Files.walk(path)) {
        files = walk.filter(file -> file.toString().endsWith(".parquet")).sorted().toList();
      } catch (IOException e) {
        throw TemporaryException.of("cannot list " + path, e);
      } catch (UncheckedIOException e) {
        throw TemporaryException.of(
            "cannot list all of " + path, Objects.requireNonNull(e.getCause()));
      }
    } else {
      files = List.of(path);
    }
    return files.stream().flatMap(Tables::rowsOf).map(ShowCommand::json);
  }

  private static Stream<String> jsonRows(Path file, String field) {
    JsonNode array = readJson(file).path(field);
    List<String> rows = new ArrayList<>();
    array.forEach(row -> rows.add(row.toString()));
    return rows.stream();
  }

  // ---- manifest, artifacts, runs

  private void showManifest() {
    Path live =
        new ServingManifests(home.home)
            .liveFile()
            .orElseThrow(
                () ->
                    new ContractException(
                        "no manifest in " + home.home + ": nothing was promoted yet"));
    out().println(home.json ? readJson(live).toString() : pretty(live));
  }

  private void showArtifact() {
    int at = ref.indexOf('@');
    String kindName = ref.substring(0, at);
    ArtifactKind kind =
        Arrays.stream(ArtifactKind.values())
            .filter(known -> known.wire().equals(kindName))
            .findFirst()
            .orElseThrow(
                () ->
                    new PlanException(
                        "'"
                            + kindName
                            + "' is no kind of artifact; expected one of "
                            + Arrays.stream(ArtifactKind.values())
                                .map(ArtifactKind::wire)
                                .collect(Collectors.joining(", "))));
    String digest = ref.substring(at + 1);
    Artifact artifact =
        store().chain(kind).stream()
            .filter(found -> !digest.isEmpty() && found.ref().digest().startsWith(digest))
            .findFirst()
            .orElseGet(() -> store().resolve(new ArtifactRef(kind, digest)));
    out().println(home.json ? readCard(artifact).toString() : readCard(artifact).toPrettyString());
  }

  private static JsonNode readCard(Artifact artifact) {
    return readJson(artifact.file(ArtifactStore.CARD));
  }

  private Stream<Artifact> artifacts() {
    return Arrays.stream(ArtifactKind.values()).flatMap(kind -> store().chain(kind).stream());
  }

  private static String artifactRow(Artifact artifact) {
    return json(
        Map.of(
            "artifact",
                artifact.ref().kind().wire() + "@" + artifact.ref().digest().substring(0, 12),
            "run", artifact.card().run().value(),
            "created_at", artifact.card().createdAt().toString(),
            "content_digest", artifact.card().contentDigest(),
            "files", artifact.card().files().size()));
  }

  private Stream<String> shownRuns() {
    if (run == null) {
      return runIds();
    }
    if (runIds().noneMatch(run::equals)) {
      throw new PlanException("there is no run " + run + " in " + home.home);
    }
    return Stream.of(run);
  }

  private Stream<String> runIds() {
    Path runs = home.home.resolve("runs");
    if (!Files.isDirectory(runs)) {
      return Stream.of();
    }
    try (Stream<Path> paths = Files.list(runs)) {
      return paths.map(path -> path.getFileName().toString()).sorted().toList().stream();
    } catch (IOException e) {
      throw new TemporaryException("cannot list " + runs + ": " + e.getMessage(), e);
    }
  }

  private Stream<RunRecord> records(String id) {
    return RunRecord.all(home.home, new RunId(id)).stream();
  }

  private static String recordRow(RunRecord record) {
    return json(JSON.valueToTree(record));
  }

  // ---- printing

  private void print(Stream<String> lines) {
    long most = limit != null ? limit : home.json ? Long.MAX_VALUE : TEXT_LIMIT;
    try (lines) {
      // Cut, not iterated over: an iterator reads a whole artifact before it gives its first row.
      if (home.json) {
        lines.limit(most).forEachOrdered(out()::println);
      } else {
        int rows = (int) Math.min(most, Integer.MAX_VALUE - 1);
        List<JsonNode> page = lines.limit(rows + 1L).map(ShowCommand::parse).toList();
        boolean more = page.size() > rows;
        TextTable.print(out(), more ? page.subList(0, rows) : page);
        if (more) {
          out().println(String.format(Locale.ROOT, "... more; --limit N shows more than %d", most));
        }
      }
    }
    out().flush();
  }

  private PrintWriter out() {
    if (spec == null) {
      throw new IllegalStateException("picocli injects the command's own description");
    }
    return spec.commandLine().getOut();
  }

  private ArtifactStore store() {
    return ArtifactStore.open(home.home);
  }

  private static String pretty(Path file) {
    return readJson(file).toPrettyString();
  }

  private static JsonNode readJson(Path file) {
    try {
      return JSON.readTree(Files.readString(file));
    } catch (JsonProcessingException e) {
      throw new ContractException(file + " is not JSON: " + Jsons.words(e), e);
    } catch (IOException e) {
      throw new ContractException("cannot read " + file, e);
    }
  }

  private static JsonNode parse(String line) {
    try {
      return JSON.readTree(line);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  private static String json(Object value) {
    try {
      return JSON.writeValueAsString(value);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }
}
