package io.knack.consolidation.episodes;

import static org.assertj.core.api.Assertions.assertThat;

import io.knack.contracts.Cluster;
import io.knack.contracts.Episode;
import io.knack.contracts.Interaction;
import io.knack.contracts.id.ClusterId;
import io.knack.contracts.id.ExampleId;
import io.knack.contracts.id.FamilyId;
import io.knack.contracts.id.SubjectId;
import io.knack.contracts.id.TenantId;
import io.knack.contracts.plan.Plans;
import io.knack.contracts.table.RowDigest;
import io.knack.contracts.table.Tables;
import io.knack.practice.features.HashedSpace;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SpillTest {
  private static final RememberPlan PLAN = Plans.read(RememberPlan.class, null, List.of("floor=0"));
  private static final int CLUSTERS = 100;
  private static final HashedSpace SPACE =
      HashedSpace.fit(IntStream.range(0, 500).mapToObj(SpillTest::problem).toList(), 1);

  @TempDir
  @SuppressWarnings("NullAway.Init")
  Path directory;

  private static String problem(int n) {
    return "price of " + n + " mugs of kind k" + n % CLUSTERS + "\u00e9";
  }

  private static Cluster cluster(int n) {
    LocalDate day = LocalDate.of(2026, 3, 1);
    return new Cluster(
        new ClusterId("c" + n),
        new FamilyId("f" + n),
        Cluster.Event.BORN,
        List.of(),
        null,
        12,
        day,
        day,
        1,
        12,
        List.of(Interaction.NO_TENANT),
        true,
        1,
        null,
        0,
        0,
        0,
        0,
        SPACE.vector(problem(n)),
        SPACE.digest(),
        List.of(),
        List.of());
  }

  private Spill filled() {
    Spill spill = new Spill(directory);
    for (int c = 0; c < CLUSTERS; c++) {
      spill.add(cluster(c));
    }
    for (int i = 0; i < 12 * CLUSTERS; i++) {
      spill.add(
          new Solution(
              new ClusterId("c" + i % CLUSTERS),
              i % 3 == 0 ? null : new TenantId("t"),
              new ExampleId("e" + i),
              i % 2 == 0 ? null : new SubjectId("s" + i),
              problem(i),
              "A: " + i));
    }
    spill.add(
        new Solution(new ClusterId("unknown"), null, new ExampleId("u"), null, problem(1), "A: 1"));
    spill.seal();
    return spill;
  }

  private static List<Episode> all(List<Lane> lanes) {
    List<Episode> episodes = new ArrayList<>();
    lanes.forEach(lane -> lane.forEach(episodes::add));
    episodes.sort(Comparator.comparing(e -> e.id().value()));
    return episodes;
  }

  @Test
  void lanesTogetherMakeWhatOneMakes() {
    try (Spill spill = filled()) {
      Lane whole = new Lane(PLAN, spill, SPACE, 0, 1, () -> false);
      List<Lane> four =
          IntStream.range(0, 4)
              .mapToObj(i -> new Lane(PLAN, spill, SPACE, i, 4, () -> false))
              .toList();
      List<Episode> episodes = all(List.of(whole));
      assertThat(episodes).hasSizeGreaterThan(CLUSTERS).isEqualTo(all(four));
      assertThat(episodes)
          .allSatisfy(
              e -> {
                int n = Integer.parseInt(e.source().value().substring(1));
                assertThat(e.problem()).isEqualTo(problem(n));
                assertThat(e.solution()).isEqualTo("A: " + n);
                assertThat(e.clusterId().value()).isEqualTo("c" + n % CLUSTERS);
                assertThat(e.tenant()).isEqualTo(n % 3 == 0 ? null : new TenantId("t"));
                assertThat(e.subject()).isEqualTo(n % 2 == 0 ? null : new SubjectId("s" + n));
                assertThat(e.vector()).isEqualTo(SPACE.vector(e.problem()));
              });
      RowDigest together = Tables.EPISODES.rowDigest();
      four.forEach(lane -> together.include(lane.digest()));
      assertThat(together.hex())
          .isEqualTo(whole.digest().hex())
          .isEqualTo(Tables.EPISODES.contentDigest(episodes));
      assertThat(whole.episodes()).isEqualTo(episodes.size());
      assertThat(whole.tokens()).isEqualTo(episodes.stream().mapToLong(Episode::tokens).sum());
    }
    assertThat(directory).isEmptyDirectory();
  }

  @Test
  void whatAnInterruptedRunLeftIsNotRead() {
    filled();
    try (Spill spill = new Spill(directory)) {
      spill.seal();
      assertThat(all(List.of(new Lane(PLAN, spill, SPACE, 0, 1, () -> false)))).isEmpty();
    }
  }

  @Test
  void aStopEndsTheLane() {
    try (Spill spill = filled()) {
      assertThat(all(List.of(new Lane(PLAN, spill, SPACE, 0, 1, () -> true)))).isEmpty();
    }
  }
}
