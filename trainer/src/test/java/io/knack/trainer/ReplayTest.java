package io.knack.trainer;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReplayTest {
  @TempDir Path directory;

  @Test
  void othersExamplesFollowOnesOwnAtTheRatio() throws Exception {
    List<AdapterTask> tasks = TrainingProcess.tasks();
    List<AdapterTask> mixed = Replay.mix(tasks, 0.5, 1, task -> "");
    assertThat(mixed.get(0).examples()).hasSize(45).startsWith(tasks.get(0).examples().get(0));
    assertThat(tasks.get(1).examples()).containsAll(mixed.get(0).examples().subList(30, 45));
    assertThat(mixed.get(1).examples()).hasSize(30);
    assertThat(Replay.mix(tasks, 0.5, 1, task -> "")).isEqualTo(mixed);
    assertThat(Replay.mix(tasks, 0, 1, task -> "")).isSameAs(tasks);
    assertThat(Replay.mix(tasks, 100, 1, task -> "").get(1).examples()).hasSize(50);
  }

  @Test
  void nothingIsReplayedFromOneTenantToAnother() throws Exception {
    List<AdapterTask> tasks = TrainingProcess.tasks();
    List<AdapterTask> apart = Replay.mix(tasks, 0.5, 1, AdapterTask::name);
    for (int i = 0; i < tasks.size(); i++) {
      assertThat(apart.get(i).examples()).isEqualTo(tasks.get(i).examples());
    }
  }

  @Test
  void theCardNamesNoPlaceOfThisMachine() throws Exception {
    Path adapter = PeftParityTest.trainPlain(directory);
    assertThat(Files.readString(adapter.resolve("README.md")))
        .contains("base_model: tiny", "\"rank\":4", "| optimizer steps | 20 (skipped: 0) |")
        .doesNotContain("resources", "tracking", directory.toString());
  }
}
