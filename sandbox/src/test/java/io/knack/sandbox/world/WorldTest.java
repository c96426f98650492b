package io.knack.sandbox.world;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class WorldTest {
  private final World world = new World(1);

  @Test
  void trafficIsAFunctionOfSeedAndDay() {
    assertThat(new World(1).day(3, 200)).isEqualTo(world.day(3, 200));
    assertThat(new World(2).day(3, 200)).isNotEqualTo(world.day(3, 200));
  }

  @Test
  void everyFamilyHasFiveUsersAndOneTenant() {
    for (Family family : world.families()) {
      assertThat(family.users()).hasSizeGreaterThanOrEqualTo(5);
      assertThat(family.users()).allMatch(user -> user.endsWith("@" + family.tenant()));
    }
  }

  @Test
  void theShopAcceptsTheTruthAndRefusesTheLie() {
    int lies = 0;
    for (int day = 1; day <= 3; day++) {
      for (Request request : world.day(day, 400)) {
        String answer = request.truth().answer();
        if (!answer.isEmpty()) {
          assertThat(world.shop().passes(request.text(), "A: " + answer, day)).isTrue();
        }
        if (request.poisoned()) {
          lies++;
          assertThat(world.shop().passes(request.text(), world.poisonedAnswer(request), day))
              .as(request.text())
              .isFalse();
        }
      }
    }
    assertThat(lies).isPositive();
  }

  @Test
  void levelsAreWhatTheyClaim() {
    Map<String, Set<String>> coreTexts = new HashMap<>();
    Map<String, Family> families = new HashMap<>();
    for (Family family : world.families()) {
      families.put(family.id(), family);
      coreTexts.put(
          family.id(), family.core().stream().map(Problem::text).collect(Collectors.toSet()));
    }
    Set<String> recurringPolicies =
        world.families().stream().map(Family::policy).collect(Collectors.toSet());
    Set<Level> seen = new HashSet<>();
    for (Request request : world.day(2, 1000)) {
      Request.Truth truth = request.truth();
      seen.add(truth.level());
      switch (truth.level()) {
        case S1 ->
            assertThat(Objects.requireNonNull(coreTexts.get(truth.family())))
                .anyMatch(c -> request.text().endsWith(c));
        case S2 ->
            assertThat(Objects.requireNonNull(coreTexts.get(truth.family())))
                .noneMatch(c -> request.text().endsWith(c));
        case S3 ->
            assertThat(truth.policy())
                .isEqualTo(Objects.requireNonNull(families.get(truth.family())).policy());
        case S4 ->
            assertThat(truth.structure())
                .isNotEqualToIgnoringCase(
                    Objects.requireNonNull(families.get(truth.family())).structure().name());
        case S5, NOISE -> assertThat(recurringPolicies).doesNotContain(nameless(truth.policy()));
      }
    }
    assertThat(seen).containsExactlyInAnyOrder(Level.values());
  }

  private static String nameless(String policy) {
    return policy.isEmpty() ? "chatter" : policy;
  }

  @Test
  void policiesDriftOnTheirDays() {
    List<String> drifting = List.copyOf(World.driftingPolicies(1));
    for (Family family : world.families()) {
      if (family.kind() == Kind.PLAIN) {
        continue;
      }
      boolean changes =
          !world
              .shop()
              .rule(family.policy(), family.kind(), 1)
              .equals(world.shop().rule(family.policy(), family.kind(), 10));
      assertThat(changes).isEqualTo(drifting.contains(family.policy()));
    }
    assertThat(drifting).hasSize(2);
  }
}
