package io.knack.evaluator.promote;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import io.knack.contracts.store.Jsons;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** One vLLM server and the adapters that it has at hand. */
final class Replica {
  private final String address;
  private final @Nullable String key;
  private final Duration timeout;
  private final HttpClient client;

  Replica(String address, @Nullable String key, Duration timeout) {
    this.address = address.replaceAll("/+$", "").replaceAll("/v1$", "");
    this.key = key;
    this.timeout = timeout;
    this.client =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(timeout)
            .build();
  }

  String address() {
    return address;
  }

  /** Names under {@code /v1/models}: base and adapters. */
  Set<String> models() throws IOException, InterruptedException {
    HttpResponse<String> response = send(request("/v1/models").GET().build());
    if (response.statusCode() != 200) {
      throw new IOException("/v1/models answered " + response.statusCode());
    }
    try {
      Set<String> names = new TreeSet<>();
      for (JsonNode model : Jsons.mapper().readTree(response.body()).path("data")) {
        names.add(model.path("id").asText());
      }
      return names;
    } catch (JsonProcessingException e) {
      throw new IOException("/v1/models answered no JSON", e);
    }
  }

  /** Loads an adapter; what the server says of it is told by {@link #models}. */
  void load(String name, String path) throws IOException, InterruptedException {
    post("/v1/load_lora_adapter", Map.of("lora_name", name, "lora_path", path));
  }

  void unload(String name) throws IOException, InterruptedException {
    post("/v1/unload_lora_adapter", Map.of("lora_name", name));
  }

  private void post(String path, Map<String, String> body)
      throws IOException, InterruptedException {
    HttpResponse<String> response =
        send(
            request(path)
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(Jsons.mapper().writeValueAsString(body)))
                .build());
    if (response.statusCode() / 100 != 2) {
      String text = response.body().strip();
      throw new IOException(
          path
              + " answered "
              + response.statusCode()
              + (text.isEmpty() ? "" : ": " + text.substring(0, Math.min(200, text.length()))));
    }
  }

  private HttpRequest.Builder request(String path) {
    HttpRequest.Builder builder =
        HttpRequest.newBuilder(URI.create(address + path)).timeout(timeout);
    return key == null ? builder : builder.header("Authorization", "Bearer " + key);
  }

  private HttpResponse<String> send(HttpRequest request) throws IOException, InterruptedException {
    return client.send(request, HttpResponse.BodyHandlers.ofString());
  }
}
