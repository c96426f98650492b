package io.knack.practice.features;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.knack.contracts.stage.ContractException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class HashedSpaceTest {
  private static final List<String> LOG = log();

  private final HashedSpace space = HashedSpace.fit(LOG, 7);

  @Test
  void numbersAndCaseDoNotCountAndNamesDo() {
    String asked = "Under the Maple policy a customer buys 3 lamps, what is the total?";
    String otherNumbers = "under the maple policy a customer buys 12 lamps, what is the total?";
    String otherPolicy = "Under the Cobalt policy a customer buys 3 lamps, what is the total?";
    assertThat(similarity(asked, otherNumbers)).isGreaterThan(0.999);
    assertThat(similarity(asked, otherPolicy)).isLessThan(similarity(asked, otherNumbers) - 0.05);
  }

  @Test
  void vectorsHaveLengthOneAndEmptyTextHasNone() {
    assertThat(similarity(LOG.get(0), LOG.get(0))).isBetween(0.999, 1.0);
    assertThat(space.vector("?!").indices()).isEmpty();
  }

  @Test
  void aSavedSpaceComputesTheSameBits(@TempDir Path directory) {
    Path file = directory.resolve("space.bin");
    space.save(file);
    FeatureSpace read = FeatureSpace.load(file, Encoders.none());
    assertThat(read.digest()).isEqualTo(space.digest());
    assertThat(read.vector(LOG.get(3))).isEqualTo(space.vector(LOG.get(3)));
  }

  @Test
  void orderAndRepetitionOfTheLogDoNotMatter() {
    List<String> other = new ArrayList<>(LOG);
    Collections.reverse(other);
    other.addAll(LOG.subList(0, 10));
    assertThat(HashedSpace.fit(other, 7).digest()).isEqualTo(space.digest());
  }

  @Test
  void aMissingFileSaysWhatToDo(@TempDir Path directory) {
    assertThatThrownBy(() -> FeatureSpace.load(directory.resolve("none.bin"), Encoders.none()))
        .isInstanceOf(ContractException.class)
        .hasMessageContaining("run ./knack mine");
  }

  @Test
  void charactersOfScriptsWithoutSpacesAreWords() {
    assertThat(Words.of("我的卡 Card's 1,234.50")).containsExactly("我", "的", "卡", "cards", "0");
    assertThat(Words.signature("Pay 3 4, now!")).isEqualTo("pay 0 now");
  }

  private double similarity(String a, String b) {
    return space.similarity(space.vector(a), space.vector(b));
  }

  private static List<String> log() {
    String[] policies = {"Maple", "Cobalt", "Juniper", "Saffron"};
    String[] goods = {"lamps", "chairs", "books", "cups", "rugs"};
    List<String> log = new ArrayList<>();
    for (String policy : policies) {
      for (String good : goods) {
        log.add(
            "Under the " + policy + " policy a customer buys 3 " + good + ", what is the total?");
        log.add("How much are five " + good + " with the " + policy + " policy?");
      }
    }
    return log;
  }
}
