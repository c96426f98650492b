package io.knack.contracts.table;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.knack.contracts.Fixtures;
import io.knack.contracts.stage.ContractException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

final class TableTest {
  @TempDir Path directory;

  static Stream<Arguments> contracts() {
    return Stream.of(
        Arguments.of(Tables.INTERACTIONS, Fixtures.INTERACTIONS),
        Arguments.of(Tables.QUARANTINE, Fixtures.QUARANTINE),
        Arguments.of(Tables.CLUSTERS, Fixtures.CLUSTERS),
        Arguments.of(Tables.MEMBERS, Fixtures.MEMBERS),
        Arguments.of(Tables.EXAMPLES, Fixtures.EXAMPLES),
        Arguments.of(Tables.EVIDENCE, Fixtures.EVIDENCE),
        Arguments.of(Tables.EPISODES, Fixtures.EPISODES),
        Arguments.of(Tables.TRIALS, Fixtures.TRIALS));
  }

  @ParameterizedTest
  @MethodSource("contracts")
  <T extends Record> void everyContractComesBackAsItWent(Table<T> table, List<T> rows) {
    table.writeInto(directory, rows);
    assertThat(table.readAllFrom(directory)).isEqualTo(rows);
  }

  /** Files written by the first release, in {@code data/golden}: they must load for ever. */
  @ParameterizedTest
  @MethodSource("contracts")
  <T extends Record> void goldenFilesLoad(Table<T> table, List<T> rows) {
    Path golden = Path.of(System.getProperty("knack.root")).resolve("data/golden/v1");
    assertThat(table.readAllFrom(golden)).isEqualTo(rows);
  }

  @ParameterizedTest
  @MethodSource("contracts")
  <T extends Record> void contentDigestDoesNotDependOnOrder(Table<T> table, List<T> rows) {
    List<T> reversed = new ArrayList<>(rows);
    Collections.reverse(reversed);
    assertThat(table.contentDigest(reversed)).isEqualTo(table.contentDigest(rows));
    assertThat(table.contentDigest(rows.subList(0, rows.size() - 1)))
        .isNotEqualTo(table.contentDigest(rows));
  }

  @Test
  void columnsAreNamedAsTheCommandLineDocuments() {
    assertThat(Tables.MEMBERS.json(Fixtures.MEMBERS.get(1)))
        .isEqualTo(
            "{\"interaction_id\":\"i-2\",\"cluster_id\":null,\"family_id\":\"f-1\",\"similarity\":0.125}");
    assertThat(Tables.CLUSTERS.json(Fixtures.CLUSTERS.get(0)))
        .contains("\"event\":\"born\"", "\"first_day\":\"2026-03-01\"");
  }

  @Test
  void aDirectoryReadsAllItsFilesInPathOrder() {
    Tables.MEMBERS.write(directory.resolve("members/b.parquet"), Fixtures.MEMBERS.subList(1, 2));
    Tables.MEMBERS.write(directory.resolve("members/a/1.parquet"), Fixtures.MEMBERS.subList(0, 1));
    assertThat(Tables.MEMBERS.readAllFrom(directory)).isEqualTo(Fixtures.MEMBERS);
  }

  @Test
  void whatIsNoTableIsRefusedByName() throws IOException {
    assertThatThrownBy(() -> Tables.MEMBERS.readAllFrom(directory))
        .isInstanceOf(ContractException.class)
        .hasMessageContaining("no table members at");
    Path broken = Files.writeString(directory.resolve("members.parquet"), "PAR1 no more");
    assertThatThrownBy(() -> Tables.MEMBERS.readAllFrom(directory))
        .isInstanceOf(ContractException.class)
        .hasMessageContaining(broken.toString())
        .hasMessageNotContaining("LocalInputFile");
    Files.delete(broken);
    Tables.QUARANTINE.write(broken, Fixtures.QUARANTINE);
    assertThatThrownBy(() -> Tables.MEMBERS.readAllFrom(directory))
        .isInstanceOf(ContractException.class)
        .hasMessageContaining("column interaction_id of ClusterMember is missing");
  }

  record Inner(String name) {}

  record NewerInner(String name, int count, double share, List<Long> sizes) {}

  record Outer(Inner inner) {}

  record NewerOuter(NewerInner inner, boolean last) {}

  @Test
  void whatANewerWriterAddedIsLeftOut() {
    new Table<>("things", NewerOuter.class)
        .writeInto(
            directory, List.of(new NewerOuter(new NewerInner("a", 3, 0.5, List.of(1L, 2L)), true)));
    assertThat(new Table<>("things", Outer.class).readAllFrom(directory))
        .containsExactly(new Outer(new Inner("a")));
  }
}
