package io.knack.spark.frame;

import static org.assertj.core.api.Assertions.assertThat;

import io.knack.contracts.Attempt;
import io.knack.contracts.Budget;
import io.knack.contracts.Cluster;
import io.knack.contracts.Interaction;
import io.knack.contracts.Message;
import io.knack.contracts.Outcome;
import io.knack.contracts.Role;
import io.knack.contracts.SparseVector;
import io.knack.contracts.ToolCall;
import io.knack.contracts.id.ClusterId;
import io.knack.contracts.id.ConversationId;
import io.knack.contracts.id.FamilyId;
import io.knack.contracts.id.InteractionId;
import io.knack.contracts.id.SubjectId;
import io.knack.contracts.id.TenantId;
import io.knack.contracts.table.Table;
import io.knack.contracts.table.Tables;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.apache.spark.api.java.function.MapFunction;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class RowCodecTest {
  private final SparkSession spark = SharedSpark.session();

  @TempDir Path directory;

  @Test
  void interactionsSurviveSparkAndItsFiles() {
    List<Interaction> rows = List.of(full("a", 0), bare("b", 1), full("c", 90_000));

    Dataset<Row> data = data(Tables.INTERACTIONS, rows);
    SparkTables.writeByDay(data, Tables.INTERACTIONS, functions.col("occurred_at"), directory);

    assertThat(Tables.INTERACTIONS.readAllFrom(directory))
        .containsExactlyInAnyOrderElementsOf(rows);
    Path table = directory.resolve("interactions");
    assertThat(table.resolve("day=2026-03-01")).isDirectory();
    assertThat(table.resolve("day=2026-03-02")).isDirectory();
    assertThat(read(Tables.INTERACTIONS, List.of(table))).containsExactlyInAnyOrderElementsOf(rows);
    assertThat(read(Tables.INTERACTIONS, List.of(table.resolve("day=2026-03-02"))))
        .containsExactly(rows.get(2));
  }

  @Test
  void readsWhatContractsWrote() {
    List<Cluster> clusters = List.of(cluster("k1"), cluster("k2"));
    Tables.CLUSTERS.writeInto(directory, clusters);

    assertThat(read(Tables.CLUSTERS, List.of(directory.resolve("clusters.parquet"))))
        .containsExactlyElementsOf(clusters);
  }

  @Test
  void writesTheTableAlone() throws Exception {
    SparkTables.write(data(Tables.CLUSTERS, List.of(cluster("k1"))), Tables.CLUSTERS, directory);

    try (Stream<Path> files = Files.walk(directory)) {
      Set<String> others = Set.of("clusters");
      assertThat(files.filter(Files::isRegularFile).map(Path::getFileName).map(Path::toString))
          .allMatch(name -> name.endsWith(".parquet"))
          .noneMatch(others::contains);
    }
  }

  @Test
  void rowsOfTheCodecPassItsEncoder() {
    RowCodec<Interaction> codec = RowCodec.of(Tables.INTERACTIONS);
    List<Interaction> rows = List.of(full("a", 0), bare("b", 1));

    Dataset<Row> copies =
        data(Tables.INTERACTIONS, rows)
            .map((MapFunction<Row, Row>) row -> codec.toRow(codec.fromRow(row)), codec.encoder());

    assertThat(copies.collectAsList().stream().map(codec::fromRow)).containsExactlyElementsOf(rows);
  }

  @Test
  void digestIsThatOfTheRowsWhateverTheirOrderAndPartitions() {
    List<Interaction> rows = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      rows.add(full("id" + i, i));
    }
    Dataset<Row> data = data(Tables.INTERACTIONS, rows);

    String digest = RowsDigest.of(data.repartition(1), Tables.INTERACTIONS);

    assertThat(RowsDigest.of(data.repartition(7), Tables.INTERACTIONS)).isEqualTo(digest);
    assertThat(RowsDigest.of(data.limit(39), Tables.INTERACTIONS)).isNotEqualTo(digest);
    assertThat(RowsDigest.of(data.union(data), Tables.INTERACTIONS)).isNotEqualTo(digest);
    assertThat(digest).hasSize(64);
  }

  @Test
  void alignsNestedColumnsByName() {
    RowCodec<Interaction> codec = RowCodec.of(Tables.INTERACTIONS);
    Interaction row = full("a", 0);
    Dataset<Row> shuffled =
        data(Tables.INTERACTIONS, List.of(row))
            .withColumn("more", functions.lit(1))
            .withColumn(
                "budget",
                functions.struct(
                    Stream.of(
                            "wall_micros",
                            "units",
                            "verifier_calls",
                            "judge_calls",
                            "judge_tokens",
                            "retrieval_micros",
                            "prompt_tokens",
                            "cached_prompt_tokens",
                            "completion_tokens")
                        .map(name -> functions.col("budget." + name))
                        .toArray(org.apache.spark.sql.Column[]::new)));

    assertThat(codec.align(shuffled).collectAsList().stream().map(codec::fromRow))
        .containsExactly(row);
  }

  private <T extends Record> Dataset<Row> data(Table<T> table, List<T> rows) {
    RowCodec<T> codec = RowCodec.of(table);
    return spark.createDataFrame(rows.stream().map(codec::toRow).toList(), codec.schema());
  }

  private <T extends Record> List<T> read(Table<T> table, List<Path> paths) {
    RowCodec<T> codec = RowCodec.of(table);
    return SparkTables.readPaths(spark, table, paths).collectAsList().stream()
        .map(codec::fromRow)
        .toList();
  }

  private static Interaction full(String id, long seconds) {
    return new Interaction(
        new InteractionId(id),
        Instant.parse("2026-03-01T00:00:00.123456Z").plusSeconds(seconds),
        new TenantId("acme"),
        new SubjectId("s1"),
        new ConversationId("c1"),
        List.of(
            Message.system("Be brief."),
            Message.user("2+2? 价格"),
            new Message(Role.ASSISTANT, "", List.of(new ToolCall("t1", "add", "{\"a\":2}")), null),
            new Message(Role.TOOL, "4", List.of(), "t1")),
        "[]",
        "4",
        "4",
        List.of(
            new Attempt("best_of_n", "4", 10, 2, 3, 0.5, Outcome.VERIFIED),
            new Attempt(null, "5", 10, 0, 3, null, Outcome.UNKNOWN)),
        Outcome.VERIFIED,
        "log:verified",
        "good",
        new Budget(1, 2, 3, 4, 5, 6, 7, 8, 9),
        0.25,
        500_000L,
        "m",
        "v000001",
        Map.of("k", "v", "a", "b"));
  }

  private static Interaction bare(String id, long seconds) {
    return new Interaction(
        new InteractionId(id),
        Instant.parse("2026-03-01T00:00:00Z").plusSeconds(seconds),
        Interaction.NO_TENANT,
        null,
        null,
        List.of(Message.user("hello")),
        null,
        null,
        null,
        List.of(),
        Outcome.UNKNOWN,
        null,
        null,
        Budget.ZERO,
        null,
        null,
        null,
        null,
        Map.of());
  }

  private static Cluster cluster(String id) {
    return new Cluster(
        new ClusterId(id),
        new FamilyId("f1"),
        Cluster.Event.MERGED,
        List.of(new ClusterId("k0")),
        null,
        20,
        LocalDate.of(2026, 3, 1),
        LocalDate.of(2026, 3, 4),
        4,
        7,
        List.of(new TenantId("acme")),
        true,
        0.8,
        null,
        12.5,
        1.5,
        0.25,
        1000,
        new SparseVector(List.of(1, 5), List.of(0.5f, 0.25f)),
        "digest",
        List.of("an exemplar"),
        List.of("term"));
  }
}
