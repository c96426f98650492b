package io.knack.consolidation.ledger;

import io.knack.contracts.Rule;
import io.knack.contracts.RuleEvent;
import io.knack.contracts.RuleEvent.Kind;
import io.knack.contracts.id.ClusterId;
import io.knack.contracts.id.ExampleId;
import io.knack.contracts.id.RuleId;
import io.knack.contracts.id.RunId;
import io.knack.contracts.id.TenantId;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One night's entries in the ledger. Every change goes into the book at once and is kept for
 * writing; nothing that stands in the ledger is touched.
 */
public final class LedgerNight {
  /** Rules that stand together in a prompt. */
  public record Shelf(ClusterId cluster, @Nullable TenantId tenant, String way) {
    public static Shelf of(Rule rule) {
      return new Shelf(rule.clusterId(), rule.tenant(), rule.way());
    }
  }

  private final RuleBook book;
  private final RunId run;
  private final Instant at;
  private final Upkeep upkeep;
  private final List<RuleEvent> events = new ArrayList<>();
  private final Map<Shelf, List<RuleId>> live = new HashMap<>();
  private final Set<RuleId> touched = new HashSet<>();

  public LedgerNight(RuleBook book, RunId run, Instant at, Upkeep upkeep) {
    this.book = book;
    this.run = run;
    this.at = at;
    this.upkeep = upkeep;
    for (Standing standing : book.all()) {
      if (standing.live()) {
        shelf(Shelf.of(standing.rule())).add(standing.rule().id());
      }
    }
  }

  private List<RuleId> shelf(Shelf shelf) {
    return live.computeIfAbsent(shelf, s -> new ArrayList<>());
  }

  /** The live rules of a shelf, the most valuable first. */
  public List<Rule> rules(Shelf shelf) {
    return live.getOrDefault(shelf, List.of()).stream()
        .map(id -> book.standing(id).orElseThrow().rule())
        .sorted(
            Comparator.comparingDouble(Rule::value)
                .reversed()
                .thenComparing(rule -> rule.id().value()))
        .toList();
  }

  /** Tonight's events, in order. */
  public List<RuleEvent> events() {
    return List.copyOf(events);
  }

  /** Adds a rule, or brings it back; nothing when it is live. */
  public void learn(Rule rule, String reason) {
    if (book.isLive(rule.id())) {
      return;
    }
    Kind kind = book.standing(rule.id()).isPresent() ? Kind.RESTORED : Kind.ADDED;
    enter(kind, rule.id(), rule, null, rule.evidence(), reason);
    shelf(Shelf.of(rule)).add(rule.id());
    touched.add(rule.id());
  }

  /** A newer rule takes an older one's place. */
  public void supersede(RuleId old, RuleId successor, String reason) {
    leave(Kind.SUPERSEDED, old, successor, reason);
  }

  /** A rule that says the same as another goes into it. */
  public void merge(RuleId from, RuleId into, String reason) {
    leave(Kind.MERGED, from, into, reason);
  }

  /**
   * What leaving a rule out showed.
   *
   * @param value completion tokens that it saves a problem
   */
  public void credit(RuleId id, long helped, long harmed, double value) {
    Rule r = book.standing(id).orElseThrow().rule();
    Rule credited =
        new Rule(
            r.id(),
            r.clusterId(),
            r.tenant(),
            r.way(),
            r.when(),
            r.then(),
            r.scope(),
            r.evidence(),
            r.helped() + helped,
            r.harmed() + harmed,
            value,
            r.tokens(),
            r.learntAt(),
            r.expiresAt());
    touched.add(id);
    enter(
        value > 0 && helped >= harmed ? Kind.HELPED : Kind.HARMED,
        id,
        credited,
        null,
        List.of(),
        "left out: " + helped + " problems worse, " + harmed + " better");
  }

  /** A rule that harms goes at once, whatever the cap. */
  public void retireHarmful(RuleId id, String reason) {
    leave(Kind.RETIRED, id, null, "harm: " + reason);
  }

  /** Rules whose every evidence was erased go, whatever the cap; others stand on what is left. */
  public void erase(Collection<ExampleId> erased) {
    Set<ExampleId> gone = Set.copyOf(erased);
    for (Standing standing : List.copyOf(book.all())) {
      Rule r = standing.rule();
      if (!standing.live() || r.evidence().stream().noneMatch(gone::contains)) {
        continue;
      }
      if (gone.containsAll(r.evidence())) {
        leave(Kind.RETIRED, r.id(), null, "erased: no evidence is left");
      }
    }
  }

  /**
   * Forgets what is expired, decayed or over the token budget, worst first, within the cap and
   * leaving the floor.
   */
  public void forget() {
    long liveRules = live.values().stream().mapToLong(List::size).sum();
    long cap = (long) Math.ceil(upkeep.retirementShare() * liveRules);
    record Due(RuleId id, Shelf shelf, double worth, String reason) {}
    List<Due> due = new ArrayList<>();
    live.forEach(
        (shelf, ids) -> {
          Map<RuleId, Double> worth = new LinkedHashMap<>();
          ids.forEach(id -> worth.put(id, worth(book.standing(id).orElseThrow())));
          long tokens = 0;
          List<RuleId> best = new ArrayList<>(ids);
          best.sort(
              Comparator.comparingDouble(
                      (RuleId id) ->
                          worth.getOrDefault(id, 0.0)
                              / Math.max(1, book.standing(id).orElseThrow().rule().tokens()))
                  .reversed()
                  .thenComparing(RuleId::value));
          for (RuleId id : best) {
            Rule rule = book.standing(id).orElseThrow().rule();
            double value = worth.getOrDefault(id, 0.0);
            tokens += rule.tokens();
            boolean fresh = touched.contains(id);
            if (rule.expiresAt() != null && !rule.expiresAt().isAfter(at)) {
              due.add(new Due(id, shelf, value, "expired"));
            } else if (tokens > upkeep.tokensPerCluster()) {
              tokens -= rule.tokens();
              due.add(new Due(id, shelf, value, "over the token budget of its cluster"));
            } else if (!fresh && value < upkeep.leastValue()) {
              due.add(new Due(id, shelf, value, "not useful for long"));
            }
          }
        });
    due.sort(Comparator.comparingDouble(Due::worth).thenComparing(d -> d.id().value()));
    long retired = 0;
    for (Due d : due) {
      if (retired < cap && live.getOrDefault(d.shelf(), List.of()).size() > upkeep.floor()) {
        leave(Kind.RETIRED, d.id(), null, "forgotten: " + d.reason());
        retired++;
      }
    }
  }

  /** A rule's value after decay. */
  double worth(Standing standing) {
    Duration idle = Duration.between(standing.usefulAt(), at);
    double halves = Math.max(0, (double) idle.toSeconds() / upkeep.halfLife().toSeconds());
    return standing.rule().value() * Math.pow(0.5, halves);
  }

  private void leave(Kind kind, RuleId id, @Nullable RuleId other, String reason) {
    Rule rule = book.standing(id).orElseThrow().rule();
    enter(kind, id, null, other, List.of(), reason);
    shelf(Shelf.of(rule)).remove(id);
    touched.add(id);
  }

  private void enter(
      Kind kind,
      RuleId id,
      @Nullable Rule rule,
      @Nullable RuleId other,
      List<ExampleId> evidence,
      String reason) {
    RuleEvent event =
        new RuleEvent(book.sequence() + 1, run, at, kind, id, rule, other, evidence, reason);
    book.apply(event);
    events.add(event);
  }
}
