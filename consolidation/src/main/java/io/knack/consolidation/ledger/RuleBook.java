package io.knack.consolidation.ledger;

import io.knack.contracts.Rule;
import io.knack.contracts.RuleEvent;
import io.knack.contracts.RuleEvent.Kind;
import io.knack.contracts.RuleSet;
import io.knack.contracts.id.RuleId;
import io.knack.contracts.stage.ContractException;
import java.util.Collection;
import java.util.Comparator;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * All rules as the events of the ledger leave them: the only thing that changes a rule is an event,
 * and an event that does not fit what went before is refused. Playing the events of the first n
 * nights gives the rules of that night.
 */
public final class RuleBook {
  private final Map<RuleId, Standing> standings =
      new TreeMap<>(Comparator.comparing(RuleId::value));
  private long sequence;

  /** Number of the last event; 0 before the first. */
  public long sequence() {
    return sequence;
  }

  /**
   * @throws ContractException when the event does not follow from those before
   */
  public void apply(RuleEvent event) {
    if (event.sequence() != sequence + 1) {
      throw refused(event, "expected number " + (sequence + 1));
    }
    Standing before = standings.get(event.ruleId());
    Rule rule = event.rule();
    Kind kind = event.kind();
    switch (kind) {
      case ADDED -> {
        if (before != null || rule == null) {
          throw refused(event, "the rule is known, or missing");
        }
        standings.put(event.ruleId(), new Standing(rule, true, event.at()));
      }
      case RESTORED -> {
        if (before == null || before.live() || rule == null) {
          throw refused(event, "only a rule that went can come back");
        }
        standings.put(event.ruleId(), new Standing(rule, true, event.at()));
      }
      case SUPERSEDED, MERGED -> {
        if (before == null || !before.live() || event.other() == null) {
          throw refused(event, "the rule is not live, or its successor is not named");
        }
        if (event.other().equals(event.ruleId()) || !isLive(event.other())) {
          throw refused(event, "its successor " + event.other() + " is not live");
        }
        standings.put(event.ruleId(), new Standing(before.rule(), false, before.usefulAt()));
      }
      case RETIRED -> {
        if (before == null || !before.live()) {
          throw refused(event, "the rule is not live");
        }
        standings.put(event.ruleId(), new Standing(before.rule(), false, before.usefulAt()));
      }
      case HELPED, HARMED -> {
        if (before == null || !before.live() || rule == null) {
          throw refused(event, "the rule is not live, or missing");
        }
        standings.put(
            event.ruleId(),
            new Standing(rule, true, kind == Kind.HELPED ? event.at() : before.usefulAt()));
      }
    }
    if (rule != null && !rule.id().equals(event.ruleId())) {
      throw refused(event, "it carries rule " + rule.id());
    }
    sequence++;
  }

  private static ContractException refused(RuleEvent event, String why) {
    return new ContractException(
        "ledger: event "
            + event.sequence()
            + " ("
            + event.kind()
            + " "
            + event.ruleId()
            + ") does not follow: "
            + why);
  }

  public Optional<Standing> standing(RuleId id) {
    return Optional.ofNullable(standings.get(id));
  }

  public boolean isLive(RuleId id) {
    Standing standing = standings.get(id);
    return standing != null && standing.live();
  }

  /** Every rule there ever was, in the order of ids. */
  public Collection<Standing> all() {
    return java.util.Collections.unmodifiableCollection(standings.values());
  }

  /** What is written as {@code rules.json}: the live rules by cluster, way and id. */
  public RuleSet live() {
    return new RuleSet(
        standings.values().stream()
            .filter(Standing::live)
            .map(Standing::rule)
            .sorted(
                Comparator.comparing((Rule r) -> r.clusterId().value())
                    .thenComparing(r -> r.tenant() == null ? "" : r.tenant().value())
                    .thenComparing(Rule::way)
                    .thenComparing(Comparator.comparingDouble(Rule::value).reversed())
                    .thenComparing(r -> r.id().value()))
            .toList());
  }
}
