package io.knack.consolidation.ledger;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.knack.consolidation.ledger.LedgerNight.Shelf;
import io.knack.contracts.Rule;
import io.knack.contracts.RuleEvent;
import io.knack.contracts.RuleEvent.Kind;
import io.knack.contracts.RuleSet;
import io.knack.contracts.id.ClusterId;
import io.knack.contracts.id.ExampleId;
import io.knack.contracts.id.RuleId;
import io.knack.contracts.id.RunId;
import io.knack.contracts.id.TenantId;
import io.knack.contracts.stage.ContractException;
import io.knack.contracts.store.Jsons;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LedgerTest {
  private static final Instant START = Instant.parse("2026-01-01T00:00:00Z");

  private static Rule rule(int n, int cluster, double value, long tokens) {
    return new Rule(
        new RuleId("rule-" + n),
        new ClusterId("c" + cluster),
        cluster % 2 == 0 ? null : new TenantId("t"),
        "reflect",
        "when " + n,
        "then " + n,
        "",
        List.of(new ExampleId("e" + n), new ExampleId("e" + (n / 2))),
        1,
        0,
        value,
        tokens,
        START,
        null);
  }

  private static LedgerNight night(RuleBook book, int n) {
    return new LedgerNight(
        book, new RunId("run-" + n), START.plus(Duration.ofDays(n)), Upkeep.DEFAULT);
  }

  @Test
  void aThousandNightsKeepEveryInvariant(@TempDir Path directory) throws Exception {
    long seed = 20260101;
    Random random = new Random(seed);
    RuleBook book = new RuleBook();
    Map<Integer, RuleSet> after = new HashMap<>();
    List<Integer> eventsAfter = new ArrayList<>();
    List<RuleEvent> all = new ArrayList<>();
    int next = 0;
    for (int n = 0; n < 1000; n++) {
      Set<RuleId> liveBefore = ids(book.live());
      LedgerNight night = night(book, n);
      for (int i = random.nextInt(4); i > 0; i--) {
        if (next > 0 && random.nextInt(4) == 0) {
          int again = random.nextInt(next);
          night.learn(rule(again, again % 17, random.nextDouble() * 30, 20), "seen again");
        } else {
          night.learn(
              rule(next, next % 17, random.nextDouble() * 30, 5 + random.nextInt(60)), "new");
          next++;
        }
      }
      List<Rule> live = book.live().rules();
      for (int i = 0; i < 3 && !live.isEmpty(); i++) {
        Rule one = live.get(random.nextInt(live.size()));
        if (!book.isLive(one.id())) {
          continue;
        }
        switch (random.nextInt(6)) {
          case 0 ->
              night.credit(
                  one.id(), random.nextInt(5), random.nextInt(5), random.nextGaussian() * 9);
          case 1 -> night.retireHarmful(one.id(), "test");
          case 2 -> night.erase(List.of(one.evidence().get(0)));
          case 3 -> {
            Rule other = live.get(random.nextInt(live.size()));
            if (!other.id().equals(one.id()) && book.isLive(other.id())) {
              night.supersede(one.id(), other.id(), "test");
            }
          }
          case 4 -> {
            Rule other = live.get(random.nextInt(live.size()));
            if (!other.id().equals(one.id()) && book.isLive(other.id())) {
              night.merge(one.id(), other.id(), "test");
            }
          }
          default -> night.credit(one.id(), 1, 0, one.value());
        }
      }
      int liveThen = book.live().rules().size();
      int before = night.events().size();
      night.forget();
      List<RuleEvent> forgotten = night.events().subList(before, night.events().size());
      assertThat(forgotten.size()).isLessThanOrEqualTo((int) Math.ceil(0.1 * liveThen));
      for (RuleEvent event : forgotten) {
        Shelf shelf = Shelf.of(book.standing(event.ruleId()).orElseThrow().rule());
        assertThat(night.rules(shelf)).as("floor, seed %d", seed).isNotEmpty();
      }
      // No rule comes or goes without an event of tonight that says so.
      Set<RuleId> changed = new HashSet<>(liveBefore);
      changed.addAll(ids(book.live()));
      Set<RuleId> mentioned = new HashSet<>();
      night.events().forEach(e -> mentioned.add(e.ruleId()));
      for (RuleId id : changed) {
        if (liveBefore.contains(id) != book.isLive(id)) {
          assertThat(mentioned).contains(id);
        }
      }
      all.addAll(night.events());
      eventsAfter.add(all.size());
      if (n % 50 == 0) {
        after.put(n, book.live());
      }
      LedgerFiles.write(
          Files.createDirectories(directory.resolve(Integer.toString(n))),
          night.events(),
          new RuleSet(List.of()));
    }
    assertThat(all).extracting(RuleEvent::sequence).doesNotHaveDuplicates().isSorted();
    assertThat(book.sequence()).isEqualTo(all.size());
    assertThat(book.all()).hasSizeLessThanOrEqualTo(next);
    // Live rules stay within their token budgets but for what the cap leaves for later nights.
    assertThat(book.live().rules().size()).isLessThan(17 * 40);
    RuleBook again = new RuleBook();
    for (int n = 0; n < 1000; n++) {
      LedgerFiles.replay(again, directory.resolve(Integer.toString(n)).resolve("ledger.jsonl"));
      assertThat(again.sequence()).isEqualTo(eventsAfter.get(n).longValue());
      if (after.containsKey(n)) {
        assertThat(again.live()).isEqualTo(after.get(n));
      }
    }
    assertThat(again.live()).isEqualTo(book.live());
  }

  private static Set<RuleId> ids(RuleSet rules) {
    Set<RuleId> ids = new HashSet<>();
    rules.rules().forEach(r -> ids.add(r.id()));
    return ids;
  }

  @Test
  void eventsThatDoNotFollowAreRefused() {
    RuleBook book = new RuleBook();
    Rule one = rule(1, 2, 5, 10);
    assertThatThrownBy(() -> book.apply(event(2, Kind.ADDED, one, null)))
        .isInstanceOf(ContractException.class)
        .hasMessageContaining("event 2 (ADDED rule-1) does not follow: expected number 1");
    book.apply(event(1, Kind.ADDED, one, null));
    for (Kind kind : List.of(Kind.ADDED, Kind.RESTORED, Kind.SUPERSEDED, Kind.MERGED)) {
      assertThatThrownBy(() -> book.apply(event(2, kind, one, null)))
          .as(kind.name())
          .hasMessageContaining("does not follow");
    }
    assertThatThrownBy(() -> book.apply(event(2, Kind.SUPERSEDED, one, new RuleId("rule-9"))))
        .hasMessageContaining("rule-9 is not live");
    book.apply(event(2, Kind.RETIRED, one, null));
    assertThatThrownBy(() -> book.apply(event(3, Kind.HELPED, one, null)))
        .hasMessageContaining("not live");
    book.apply(event(3, Kind.RESTORED, one, null));
    assertThat(book.isLive(one.id())).isTrue();
  }

  private static RuleEvent event(long sequence, Kind kind, Rule rule, @Nullable RuleId other) {
    return new RuleEvent(
        sequence, new RunId("r"), START, kind, rule.id(), rule, other, List.of(), "");
  }

  @Test
  void usefulnessDecaysAndTheBudgetGoesByValuePerToken() {
    RuleBook book = new RuleBook();
    LedgerNight first = night(book, 0);
    for (int i = 0; i < 40; i++) {
      // One shelf: 40 rules of 10 tokens, 160 allowed; the cap lets 4 go a night.
      first.learn(rule(i, 2, 1 + i, 10), "new");
    }
    first.forget();
    assertThat(book.live().rules()).hasSize(36);
    assertThat(book.isLive(new RuleId("rule-0"))).isFalse();
    assertThat(book.isLive(new RuleId("rule-39"))).isTrue();
    for (int n = 1; n < 12; n++) {
      night(book, n).forget();
    }
    assertThat(book.live().rules()).hasSize(16).allMatch(r -> r.value() > 24);
    LedgerNight muchLater = night(book, 400);
    muchLater.credit(new RuleId("rule-30"), 5, 0, 31);
    for (int n = 400; n < 440; n++) {
      night(book, n).forget();
    }
    assertThat(book.live().rules()).extracting(r -> r.id().value()).containsExactly("rule-30");
    night(book, 4000).forget();
    assertThat(book.live().rules()).as("the floor").hasSize(1);
  }

  @Test
  void erasureTakesRulesThatLoseAllTheirEvidence() {
    RuleBook book = new RuleBook();
    LedgerNight night = night(book, 0);
    night.learn(rule(5, 2, 5, 10), "new"); // e5, e2
    night.erase(List.of(new ExampleId("e5")));
    assertThat(book.live().rules()).hasSize(1);
    night.erase(List.of(new ExampleId("e5"), new ExampleId("e2")));
    assertThat(book.live().rules()).isEmpty();
    assertThat(night.events().get(1).reason()).isEqualTo("erased: no evidence is left");
  }

  @Test
  void thePageIsDataAndReadAsAPlaybook() throws Exception {
    Rule hostile =
        new Rule(
            new RuleId("rule-x"),
            new ClusterId("c"),
            null,
            "reflect",
            "a\n## b",
            "<b>[x](y)</b>",
            "",
            List.of(),
            3,
            1,
            2,
            5,
            START,
            null);
    String page = LedgerFiles.page(new RuleSet(List.of(hostile)));
    assertThat(page)
        .contains("\n## c, reflect\n")
        .contains("[rule-x] helpful=3 harmful=1 :: a \\#\\# b: \\<b\\>\\[x\\](y)\\</b\\>\n");
    assertThat(page.lines().filter(l -> l.startsWith("## "))).hasSize(1);
    assertThat(
            Jsons.mapper()
                .readValue(
                    Jsons.mapper().writeValueAsString(new RuleSet(List.of(hostile))),
                    RuleSet.class))
        .isEqualTo(new RuleSet(List.of(hostile)));
  }

  @Test
  void tenThousandRulesTakeSeconds() {
    RuleBook book = new RuleBook();
    LedgerNight first = night(book, 0);
    for (int i = 0; i < 10_000; i++) {
      first.learn(rule(i, i % 2000, 1 + i % 50, 20), "new");
    }
    first.forget();
    long started = System.nanoTime();
    LedgerNight night = night(book, 1);
    for (int i = 0; i < 10_000; i += 3) {
      if (book.isLive(new RuleId("rule-" + i))) {
        night.credit(new RuleId("rule-" + i), 1, 0, 9);
      }
    }
    night.forget();
    assertThat(book.live().rules().size()).isGreaterThan(7000);
    assertThat(Duration.ofNanos(System.nanoTime() - started)).isLessThan(Duration.ofSeconds(20));
  }
}
