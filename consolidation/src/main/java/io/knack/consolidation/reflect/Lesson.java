package io.knack.consolidation.reflect;

import io.knack.consolidation.ledger.LedgerNight.Shelf;
import io.knack.contracts.Example;
import io.knack.contracts.id.ClusterId;
import io.knack.contracts.id.ExampleId;
import io.knack.contracts.id.TenantId;
import io.knack.practice.prompt.Prompts.Case;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What one cluster of one tenant can be taught from, and tested on.
 *
 * @param cases the newest first
 * @param validation the newest first
 */
public record Lesson(
    ClusterId cluster,
    @Nullable TenantId tenant,
    List<SolvedCase> cases,
    List<Example> validation) {
  public Lesson {
    cases = List.copyOf(cases);
    validation = List.copyOf(validation);
  }

  /** A case and the example that it is the evidence of. */
  public record SolvedCase(Example example, Case solved) {
    public ExampleId id() {
      return example.id();
    }
  }

  /**
   * The newer half of the validation problems, which has the last word where older ones say
   * otherwise.
   *
   * @param least problems at least, as far as there are any
   */
  public Set<ExampleId> newer(int least) {
    return ids(validation, Math.max(least, (validation.size() + 1) / 2));
  }

  /** The newer half of the cases. */
  public Set<ExampleId> newerCases() {
    return ids(cases.stream().map(SolvedCase::example).toList(), (cases.size() + 1) / 2);
  }

  private static Set<ExampleId> ids(List<Example> newestFirst, int most) {
    return newestFirst.stream().limit(most).map(Example::id).collect(Collectors.toSet());
  }

  /** Where the rules of a way stand. */
  public Shelf shelf(Way way) {
    return new Shelf(cluster, tenant, way.wire());
  }
}
