package io.knack.spark.mine;

import static org.assertj.core.api.Assertions.assertThat;

import io.knack.contracts.Cluster.Event;
import io.knack.spark.mine.Identity.Overlap;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

final class IdentityTest {
  @Test
  void matchesOneToOneAndNamesWhatHappened() {
    Set<String> used = new TreeSet<>(List.of("c-a", "c-b", "c-c", "c-gone", "c-d"));
    Identity identity =
        Identity.of(
            "c-",
            List.of("0", "1", "2", "3", "4"),
            List.of("c-a", "c-b", "c-c", "c-d", "c-gone"),
            List.of(
                new Overlap("c-a", 0, 90), // continued
                new Overlap("c-b", 1, 60), // split in two
                new Overlap("c-b", 2, 40),
                new Overlap("c-c", 3, 50), // merged
                new Overlap("c-d", 3, 30)),
            used);
    assertThat(identity.events())
        .containsExactly(Event.CONTINUED, Event.CONTINUED, Event.SPLIT, Event.MERGED, Event.BORN);
    assertThat(identity.ids()).startsWith("c-a", "c-b").contains("c-c").doesNotHaveDuplicates();
    assertThat(identity.parents().get(3)).containsExactly("c-c", "c-d");
    assertThat(identity.retired()).containsExactly("c-d", "c-gone");
  }

  @Test
  void anIdIsNeverGivenTwice() {
    Set<String> used = new TreeSet<>();
    String first = Identity.fresh("c-", "medoid", used);
    assertThat(Identity.fresh("c-", "medoid", used)).isNotEqualTo(first);
    assertThat(used).hasSize(2);
  }
}
