package io.knack.tracking;

import io.knack.contracts.plan.Default;
import io.knack.contracts.plan.Doc;
import io.knack.contracts.stage.PlanException;
import java.net.URI;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

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

  /** Local files alone. */
  public static final TrackingPlan LOCAL =
      new TrackingPlan(
          null, "knack", "MLFLOW_TRACKING_TOKEN", Duration.ofSeconds(10), Duration.ofSeconds(5));

  /**
   * As MLflow's own variables say: {@code MLFLOW_TRACKING_URI} where it is a web address, {@code
   * MLFLOW_EXPERIMENT_NAME}. A local store of MLflow's is not written to.
   */
  public static TrackingPlan of(Map<String, String> environment) {
    String uri = environment.getOrDefault("MLFLOW_TRACKING_URI", "").strip();
    String experiment = environment.getOrDefault("MLFLOW_EXPERIMENT_NAME", "").strip();
    return new TrackingPlan(
        scheme(uri).startsWith("http") ? uri : null,
        experiment.isEmpty() ? LOCAL.experiment() : experiment,
        LOCAL.tokenVariable(),
        LOCAL.timeout(),
        LOCAL.closing());
  }

  public TrackingPlan {
    List<String> problems = new ArrayList<>();
    if (server != null) {
      String scheme = scheme(server);
      if (!scheme.equals("http") && !scheme.equals("https")) {
        problems.add("server: expected an http or https address, found '" + server + "'");
      }
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

  private static String scheme(String address) {
    try {
      URI uri = URI.create(address);
      return uri.getHost() == null || uri.getScheme() == null ? "" : uri.getScheme();
    } catch (IllegalArgumentException e) {
      return "";
    }
  }
}
