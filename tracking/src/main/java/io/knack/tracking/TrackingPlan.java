package io.knack.tracking;

import io.knack.contracts.plan.Default;
import io.knack.contracts.plan.Doc;
import io.knack.contracts.plan.HttpAddress;
import io.knack.contracts.stage.PlanException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Where runs are recorded. */
public record TrackingPlan(
    @Doc("an MLflow tracking server, such as http://localhost:5000; without it, local files alone")
        @Nullable String server,
    @Doc("the MLflow experiment; made when it is missing") @Default("knack") String experiment,
    @Doc("environment variable with a bearer token for the server; unset means none")
        @Default("MLFLOW_TRACKING_TOKEN")
        String tokenVariable,
    @Doc("longest wait for one answer of the server") @Default("10s") Duration timeout,
    @Doc("longest wait for the server when a stage ends; the rest is sent by a later stage")
        @Default("5s")
        Duration closing) {

  private static final Logger LOG = LoggerFactory.getLogger(TrackingPlan.class);
  private static final Set<String> WARNED = ConcurrentHashMap.newKeySet();

  /** Local files alone. */
  public static final TrackingPlan LOCAL =
      new TrackingPlan(
          null, "knack", "MLFLOW_TRACKING_TOKEN", Duration.ofSeconds(10), Duration.ofSeconds(5));

  /**
   * As MLflow's own variables say: {@code MLFLOW_TRACKING_URI} where it is a web address, {@code
   * MLFLOW_EXPERIMENT_NAME}. Any other address, a local store of MLflow's too, is warned of once
   * and not written to.
   */
  public static TrackingPlan of(Map<String, String> environment) {
    String uri = environment.getOrDefault("MLFLOW_TRACKING_URI", "").strip();
    String experiment = environment.getOrDefault("MLFLOW_EXPERIMENT_NAME", "").strip();
    Optional<String> problem = uri.isEmpty() ? Optional.empty() : HttpAddress.problem(uri);
    if (problem.isPresent() && WARNED.add(uri)) {
      LOG.warn(
          "MLFLOW_TRACKING_URI {}; without a server, runs are recorded in files below the home",
          problem.get());
    }
    return new TrackingPlan(
        uri.isEmpty() || problem.isPresent() ? null : uri,
        experiment.isEmpty() ? LOCAL.experiment() : experiment,
        LOCAL.tokenVariable(),
        LOCAL.timeout(),
        LOCAL.closing());
  }

  public TrackingPlan {
    List<String> problems = new ArrayList<>();
    if (server != null) {
      HttpAddress.problem(server).ifPresent(problem -> problems.add("server: " + problem));
    }
    if (experiment.isBlank()) {
      problems.add("experiment: must not be blank");
    }
    if (timeout.isNegative() || timeout.isZero()) {
      problems.add("timeout: must be positive, found " + timeout);
    }
    if (closing.isNegative()) {
      problems.add("closing: must not be negative, found " + closing);
    }
    if (!problems.isEmpty()) {
      throw new PlanException(problems);
    }
  }
}
