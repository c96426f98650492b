package io.knack.consolidation.ledger;

import io.knack.contracts.plan.Default;
import io.knack.contracts.plan.Doc;
import io.knack.contracts.plan.Range;
import java.time.Duration;

/** How rules are forgotten. A plan's section. */
public record Upkeep(
    @Default("720h") @Doc("a rule that is not seen to help loses half its value in this time")
        Duration halfLife,
    @Default("0.5")
        @Range(min = 0)
        @Doc("a rule is forgotten when it saves fewer completion tokens a problem than this")
        double leastValue,
    @Default("160") @Range(min = 1) @Doc("tokens of one cluster's rules in a prompt at most")
        long tokensPerCluster,
    @Default("0.1")
        @Range(min = 0, max = 1)
        @Doc("share of the live rules that a night may forget; harm and erasure do not count")
        double retirementShare,
    @Default("1") @Range(min = 0, max = 1000) @Doc("rules that forgetting leaves a cluster")
        int floor) {

  public static final Upkeep DEFAULT = new Upkeep(Duration.ofDays(30), 0.5, 160, 0.1, 1);
}
