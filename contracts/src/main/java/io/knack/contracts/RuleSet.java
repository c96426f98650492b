package io.knack.contracts;

import java.util.List;

/** The live rules after a night. Written as {@code rules.json}. */
public record RuleSet(List<Rule> rules) {
  public RuleSet {
    rules = List.copyOf(rules);
  }
}
