package io.knack.contracts.show;

import com.fasterxml.jackson.core.JsonProcessingException;
import io.knack.contracts.cli.HomeOptions;
import io.knack.contracts.stage.PlanException;
import io.knack.contracts.store.Jsons;
import java.io.PrintWriter;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code explain REF}: from what serves back to what was logged. */
@Command(
    name = "explain",
    mixinStandardHelpOptions = true,
    description =
        "Why something is there: from a memory back over its verdict, examples and cluster to the"
            + " interactions, with the plans and decisions on the way.",
    footer = {
      "",
      "REF is 'manifest' (the live one), vNNNNNN, vNNNNNN/CLUSTER, an adapter (its name in serving,",
      "its directory), a rule id, an episode id or a cluster id.",
      "",
      "Example: ./knack explain manifest"
    })
public final class ExplainCommand implements Callable<Integer> {
  private static final int IDS = 10;

  @Mixin HomeOptions home = new HomeOptions();

  @Parameters(paramLabel = "REF", description = "what to explain")
  String ref = "";

  @Option(
      names = "--limit",
      paramLabel = "N",
      description = "interaction ids to name (default: 10, with --json all)")
  @Nullable Integer limit;

  @Spec @Nullable CommandSpec spec;

  @Override
  public Integer call() throws JsonProcessingException {
    if (limit != null && limit < 0) {
      throw new PlanException("--limit " + limit + ": expected 0 or more");
    }
    int ids = limit != null ? limit : home.json ? Integer.MAX_VALUE : IDS;
    Explanation explanation = new Explainer(home.home, ids).explain(ref);
    if (spec == null) {
      throw new IllegalStateException("picocli injects the command's own description");
    }
    PrintWriter out = spec.commandLine().getOut();
    if (home.json) {
      out.println(Jsons.mapper().writeValueAsString(explanation));
    } else {
      explanation.print(out);
    }
    out.flush();
    return 0;
  }
}
