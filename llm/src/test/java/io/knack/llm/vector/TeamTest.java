package io.knack.llm.vector;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TeamTest {
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 5})
  void noThreadPassesABarrierBeforeTheLastHasCome(int size) {
    try (Team team = new Team(size)) {
      for (int job = 0; job < 200; job++) {
        AtomicIntegerArray came = new AtomicIntegerArray(10);
        team.run(
            thread -> {
              for (int phase = 0; phase < 10; phase++) {
                came.incrementAndGet(phase);
                team.meet();
                assertThat(came.get(phase)).isEqualTo(size);
              }
            });
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2})
  void anErrorOfOneThreadEndsTheJobOfAllAndTheNextOneRuns(int failing) {
    try (Team team = new Team(3)) {
      for (int job = 0; job < 20; job++) {
        assertThatThrownBy(
                () ->
                    team.run(
                        thread -> {
                          team.meet();
                          if (thread == failing) {
                            throw new IndexOutOfBoundsException("of thread " + failing);
                          }
                          team.meet();
                        }))
            .hasCauseInstanceOf(IndexOutOfBoundsException.class);
        AtomicIntegerArray ran = new AtomicIntegerArray(3);
        team.run(
            thread -> {
              team.meet();
              ran.incrementAndGet(thread);
            });
        assertThat(ran.toString()).isEqualTo("[1, 1, 1]");
      }
    }
  }
}
