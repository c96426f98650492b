package io.knack.tracking;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.mlflow.api.proto.Service;
import org.mlflow.tracking.MlflowClient;
import org.mlflow.tracking.MlflowClientException;
import org.mlflow.tracking.MlflowHttpException;
import org.mlflow.tracking.creds.BasicMlflowHostCreds;

/**
 * The calls to an MLflow server. Experiments and runs go through MLflow's own Java client; what it
 * lacks (writing to the registry, aliases, artifacts without Python) is plain REST.
 *
 * <p>The client knows no timeout and cannot be interrupted, so its calls run on a thread of their
 * own; one that takes too long is given up by closing the client under it. Every method throws an
 * {@link IOException} where a later try may do, a {@link RejectedException} where none will.
 */
final class MlflowServer implements AutoCloseable {
  private static final int MOST_PER_SEARCH = 10;

  private final String address;
  private final @Nullable String token;
  private final Duration timeout;
  private final HttpClient http;
  private final ExecutorService caller =
      Executors.newCachedThreadPool(
          task -> {
            Thread thread = new Thread(task, "mlflow-call");
            thread.setDaemon(true);
            return thread;
          });
  private final Map<String, String> experiments = new HashMap<>();
  private final Map<String, Service.RunInfo> runs = new HashMap<>();
  private final Map<ModelVersion, String> versions = new HashMap<>();
  private @Nullable MlflowClient client;

  MlflowServer(String server, @Nullable String token, Duration timeout) {
    this.address = server.endsWith("/") ? server.substring(0, server.length() - 1) : server;
    this.token = token;
    this.timeout = timeout;
    this.http =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(timeout)
            .build();
  }

  /** One cheap call that tells within the timeout whether somebody is there. */
  void check() throws IOException {
    HttpResponse<byte[]> response = exchange(request("/health").GET().build());
    if (response.statusCode() != 200) {
      throw new IOException("status " + response.statusCode() + " of " + address + "/health");
    }
  }

  // Runs.

  /** Finds the run by its key, so that a repeated start makes no second run. */
  void start(Event.Start start) throws IOException, RejectedException {
    Service.RunInfo there = find(start.run(), start.experiment());
    if (there != null) {
      if (start.shared()) {
        post("runs/update", Map.of("run_id", there.getRunId(), "status", "RUNNING"));
      }
      return;
    }
    Service.CreateRun.Builder create =
        Service.CreateRun.newBuilder()
            .setExperimentId(experiment(start.experiment()))
            .setStartTime(start.time())
            .setRunName(start.name())
            .addTags(tag(TrackedRun.KEY_TAG, start.run()));
    String parent = start.parent();
    if (parent != null) {
      Service.RunInfo info = find(parent, start.experiment());
      create.addTags(tag("knack.parent", parent));
      if (info != null) {
        create.addTags(tag("mlflow.parentRunId", info.getRunId()));
      }
    }
    start.tags().forEach((name, value) -> create.addTags(tag(name, value)));
    runs.put(start.run(), timed(() -> client().createRun(create.build())));
  }

  private Service.RunInfo run(String key, String experiment) throws IOException, RejectedException {
    Service.RunInfo info = find(key, experiment);
    if (info == null) {
      throw new RejectedException("the server has no run with the tag " + TrackedRun.KEY_TAG);
    }
    return info;
  }

  private Service.@Nullable RunInfo find(String key, String experiment)
      throws IOException, RejectedException {
    Service.RunInfo known = runs.get(key);
    if (known != null) {
      return known;
    }
    String id = experiment(experiment);
    List<Service.Run> found =
        timed(
            () ->
                client()
                    .searchRuns(
                        List.of(id),
                        "tags.`" + TrackedRun.KEY_TAG + "` = '" + key + "'",
                        Service.ViewType.ACTIVE_ONLY,
                        MOST_PER_SEARCH)
                    .getItems());
    if (found.isEmpty()) {
      return null;
    }
    runs.put(key, found.get(0).getInfo());
    return found.get(0).getInfo();
  }

  private String experiment(String name) throws IOException, RejectedException {
    String known = experiments.get(name);
    if (known == null) {
      known =
          timed(
              () ->
                  client()
                      .getExperimentByName(name)
                      .map(Service.Experiment::getExperimentId)
                      .orElseGet(() -> client().createExperiment(name)));
      experiments.put(name, known);
    }
    return known;
  }

  /** Parameters, metrics and tags of one run, at most 1,000 together. */
  void log(String run, String experiment, List<Event> events)
      throws IOException, RejectedException {
    String id = run(run, experiment).getRunId();
    List<Service.Metric> metrics = new ArrayList<>();
    List<Service.Param> params = new ArrayList<>();
    List<Service.RunTag> tags = new ArrayList<>();
    for (Event event : events) {
      if (event instanceof Event.Metrics logged) {
        logged
            .values()
            .forEach(
                (name, value) ->
                    metrics.add(
                        Service.Metric.newBuilder()
                            .setKey(plain(name))
                            .setValue(Double.parseDouble(value))
                            .setStep(logged.step())
                            .setTimestamp(logged.time())
                            .build()));
      } else if (event instanceof Event.Params logged) {
        logged
            .params()
            .forEach(
                (name, value) ->
                    params.add(
                        Service.Param.newBuilder()
                            .setKey(plain(name))
                            .setValue(cut(value, 6000))
                            .build()));
      } else if (event instanceof Event.Tag tag) {
        tags.add(tag(tag.name(), tag.value()));
      }
    }
    timed(
        () -> {
          client().logBatch(id, metrics, params, tags);
          return id;
        });
  }

  void end(Event.End end, String experiment) throws IOException, RejectedException {
    String id = run(end.run(), experiment).getRunId();
    Service.RunStatus status = Service.RunStatus.valueOf(end.status().name());
    timed(
        () -> {
          client().setTerminated(id, status, end.time());
          return id;
        });
  }

  /** Uploads through the server's artifact proxy. */
  void artifact(String run, String experiment, String path, Path file)
      throws IOException, RejectedException {
    String root = run(run, experiment).getArtifactUri();
    String scheme = "mlflow-artifacts:/";
    if (!root.startsWith(scheme)) {
      throw new RejectedException(
          "the server keeps artifacts in "
              + root
              + ", not behind its own proxy; start it with"
              + " --serve-artifacts");
    }
    String place = root.substring(scheme.length()).replaceFirst("^/+", "") + "/" + path;
    StringBuilder encoded = new StringBuilder("/api/2.0/mlflow-artifacts/artifacts");
    for (String part : place.split("/", -1)) {
      encoded
          .append('/')
          .append(URLEncoder.encode(part, StandardCharsets.UTF_8).replace("+", "%20"));
    }
    checked(
        exchange(
            request(encoded.toString())
                .timeout(timeout.multipliedBy(30)) // Adapters are large.
                .PUT(HttpRequest.BodyPublishers.ofFile(file))
                .build()));
  }

  // The registry.

  void register(Event.Register register, String experiment) throws IOException, RejectedException {
    ModelVersion version = new ModelVersion(register.model(), register.key());
    if (number(version) != null) {
      return;
    }
    try {
      post("registered-models/create", Map.of("name", register.model()));
    } catch (RejectedException e) {
      if (!String.valueOf(e.getMessage()).contains("RESOURCE_ALREADY_EXISTS")) {
        throw e;
      }
    }
    List<Map<String, String>> tags = new ArrayList<>();
    tags.add(Map.of("key", ModelVersion.KEY_TAG, "value", register.key()));
    register
        .tags()
        .forEach((name, value) -> tags.add(Map.of("key", name, "value", cut(value, 4000))));
    tags.add(Map.of("key", "knack.source", "value", cut(register.source(), 4000)));
    Map<String, Object> body = new LinkedHashMap<>();
    body.put("name", register.model());
    body.put("source", register.source());
    body.put("tags", tags);
    String runKey = register.run();
    Service.RunInfo made = runKey == null ? null : find(runKey, experiment);
    if (made != null) {
      body.put("run_id", made.getRunId());
    }
    if (register.source().startsWith("/") || register.source().startsWith("file:")) {
      // MLflow takes no local path from a client: the run's artifacts stand for it, or a scheme of
      // our own, whose path must be absolute. The source itself is in the tag.
      String path = register.source().replaceFirst("^file:/*", "/");
      body.put("source", made != null ? made.getArtifactUri() : "knack://" + path);
    }
    versions.put(
        version,
        post("model-versions/create", body).path("model_version").path("version").asText());
  }

  void setAlias(ModelVersion version, String alias) throws IOException, RejectedException {
    post(
        "registered-models/alias",
        Map.of("name", version.model(), "alias", alias, "version", existing(version)));
  }

  void deleteAlias(String model, String alias) throws IOException, RejectedException {
    send(
        request("/api/2.0/mlflow/registered-models/alias")
            .method("DELETE", json(Map.of("name", model, "alias", alias)))
            .build());
  }

  void versionTag(ModelVersion version, String name, String value)
      throws IOException, RejectedException {
    post(
        "model-versions/set-tag",
        Map.of(
            "name",
            version.model(),
            "version",
            existing(version),
            "key",
            name,
            "value",
            cut(value, 4000)));
  }

  private String existing(ModelVersion version) throws IOException, RejectedException {
    String number = number(version);
    if (number == null) {
      throw new RejectedException(
          "the server has no version of " + version.model() + " with the key " + version.key());
    }
    return number;
  }

  private @Nullable String number(ModelVersion version) throws IOException, RejectedException {
    String known = versions.get(version);
    if (known != null) {
      return known;
    }
    String filter =
        "name = '"
            + version.model().replace("'", "\\'")
            + "' and tags.`"
            + ModelVersion.KEY_TAG
            + "` = '"
            + version.key().replace("'", "\\'")
            + "'";
    JsonNode found =
        send(
            request(
                    "/api/2.0/mlflow/model-versions/search?max_results="
                        + MOST_PER_SEARCH
                        + "&filter="
                        + URLEncoder.encode(filter, StandardCharsets.UTF_8))
                .GET()
                .build());
    JsonNode number = found.path("model_versions").path(0).path("version");
    if (number.isMissingNode()) {
      return null;
    }
    versions.put(version, number.asText());
    return number.asText();
  }

  // REST.

  private JsonNode post(String method, Map<String, ?> body) throws IOException, RejectedException {
    return send(request("/api/2.0/mlflow/" + method).POST(json(body)).build());
  }

  private JsonNode send(HttpRequest request) throws IOException, RejectedException {
    try {
      return Spool.JSON.readTree(checked(exchange(request)));
    } catch (JsonProcessingException e) {
      throw new IOException("an answer of " + address + " is no JSON", e);
    }
  }

  private static HttpRequest.BodyPublisher json(Map<String, ?> body) throws IOException {
    return HttpRequest.BodyPublishers.ofString(Spool.JSON.writeValueAsString(body));
  }

  private HttpRequest.Builder request(String path) {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(URI.create(address + path))
            .timeout(timeout)
            .header("Content-Type", "application/json");
    return token == null ? request : request.header("Authorization", "Bearer " + token);
  }

  private HttpResponse<byte[]> exchange(HttpRequest request) throws IOException {
    try {
      return http.send(request, HttpResponse.BodyHandlers.ofByteArray());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
  }

  private byte[] checked(HttpResponse<byte[]> response) throws IOException, RejectedException {
    if (response.statusCode() / 100 != 2) {
      throw problem(response.statusCode(), new String(response.body(), StandardCharsets.UTF_8));
    }
    return response.body();
  }

  /** Returns what may pass, throws what will not. */
  private IOException problem(int status, String body) throws RejectedException {
    String words = "status " + status + " of " + address + ": " + cut(body, 500);
    boolean mayPass =
        status >= 500 || status == 401 || status == 403 || status == 408 || status == 429;
    if (!mayPass) {
      throw new RejectedException(words);
    }
    return new IOException(words);
  }

  // The client.

  private synchronized MlflowClient client() {
    MlflowClient open = client;
    if (open == null) {
      open =
          new MlflowClient(
              token == null
                  ? new BasicMlflowHostCreds(address)
                  : new BasicMlflowHostCreds(address, token));
      client = open;
    }
    return open;
  }

  private <T> T timed(Callable<T> call) throws IOException, RejectedException {
    Future<T> result = caller.submit(call);
    try {
      return result.get(timeout.toMillis() * 3, TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      drop();
      throw new IOException(
          "no answer of " + address + " within " + timeout.toMillis() * 3 + " ms", e);
    } catch (InterruptedException e) {
      drop();
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof MlflowHttpException refused) {
        throw problem(refused.getStatusCode(), String.valueOf(refused.getBodyMessage()));
      }
      if (e.getCause() instanceof MlflowClientException) {
        throw new IOException(String.valueOf(e.getCause().getMessage()), e);
      }
      throw new IllegalStateException("a call to " + address + " broke", e);
    }
  }

  /** Closes the connections of the client, which ends a call that hangs in one. */
  private synchronized void drop() {
    MlflowClient open = client;
    client = null;
    if (open != null) {
      open.close();
    }
  }

  @Override
  public void close() {
    drop();
    caller.shutdownNow();
  }

  private static Service.RunTag tag(String name, String value) {
    return Service.RunTag.newBuilder().setKey(plain(name)).setValue(cut(value, 4000)).build();
  }

  /** The characters that MLflow allows in names. */
  private static String plain(String name) {
    return cut(name.replaceAll("[^\\w\\-. :/]", "_"), 250);
  }

  private static String cut(String text, int most) {
    return text.length() <= most ? text : text.substring(0, most - 3) + "...";
  }
}
