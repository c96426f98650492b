package io.knack.evaluator.measure;

import io.knack.contracts.Manifest;
import io.knack.contracts.id.ClusterId;
import io.knack.contracts.id.TenantId;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One arm of one cluster: what would be served if it won.
 *
 * @param arm as in {@link io.knack.contracts.Trial#arm}
 * @param tenant whose it is; null when tenants share
 * @param carryingCost per month, besides what problems cost
 */
public record Memory(
    String arm,
    ClusterId clusterId,
    @Nullable TenantId tenant,
    Manifest.@Nullable AdapterRef adapter,
    List<Manifest.RuleText> rules,
    List<Manifest.EpisodeText> episodes,
    double carryingCost) {
  /** The arm of no memory. */
  public static final String BASELINE = "baseline";

  /** What is chosen where no memory is worth its cost. */
  public static final String NOTHING = "nothing";

  /** Before the arm of an entry that is live already. */
  static final String LIVE = "live:";

  /** A manifest as a whole. */
  public static final String MANIFEST = "manifest";

  public Memory {
    rules = List.copyOf(rules);
    episodes = List.copyOf(episodes);
  }

  Manifest.Entry entry(Manifest.Trigger trigger, double expectedSaving) {
    String memory = arm.startsWith(LIVE) ? arm.substring(LIVE.length()) : arm;
    return new Manifest.Entry(
        clusterId, tenant, memory, adapter, rules, episodes, trigger, expectedSaving);
  }
}
