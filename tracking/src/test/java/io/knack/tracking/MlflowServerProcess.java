package io.knack.tracking;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A real MLflow server on loopback, with SQLite and artifacts below a directory. */
final class MlflowServerProcess implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Process process;
  private final String address;
  private final HttpClient http = HttpClient.newHttpClient();

  private MlflowServerProcess(Process process, String address) {
    this.process = process;
    this.address = address;
  }

  static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  static MlflowServerProcess start(Path directory, int port) throws Exception {
    Path log = directory.resolve("server.log");
    Process process =
        new ProcessBuilder(
                List.of(
                    python(),
                    "-m",
                    "mlflow",
                    "server",
                    "--host",
                    "127.0.0.1",
                    "--port",
                    Integer.toString(port),
                    "--workers",
                    "1",
                    "--backend-store-uri",
                    "sqlite:///" + directory.resolve("mlflow.db"),
                    "--artifacts-destination",
                    directory.resolve("artifacts").toString(),
                    "--serve-artifacts"))
            .directory(directory.toFile())
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .start();
    MlflowServerProcess server = new MlflowServerProcess(process, "http://127.0.0.1:" + port);
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(180);
    while (!server.healthy()) {
      if (!process.isAlive() || System.nanoTime() > deadline) {
        server.close();
        throw new IllegalStateException("MLflow did not start:\n" + Files.readString(log));
      }
      process.waitFor(200, TimeUnit.MILLISECONDS);
    }
    return server;
  }

  private static String python() throws Exception {
    Path script = Path.of(System.getProperty("knack.root"), "scripts", "python-env");
    Process process =
        new ProcessBuilder(script.toString(), "mlflow")
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    String path =
        new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    if (process.waitFor() != 0) {
      throw new IllegalStateException("no Python with MLflow; set KNACK_MLFLOW_PYTHON to one");
    }
    return path;
  }

  private boolean healthy() {
    try {
      HttpRequest request =
          HttpRequest.newBuilder(URI.create(address + "/health"))
              .timeout(Duration.ofSeconds(5))
              .build();
      return http.send(request, HttpResponse.BodyHandlers.discarding()).statusCode() == 200;
    } catch (IOException e) {
      return false;
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  String address() {
    return address;
  }

  JsonNode get(String path) throws Exception {
    return call(HttpRequest.newBuilder(URI.create(address + "/api/2.0/" + path)).build());
  }

  JsonNode post(String path, String body) throws Exception {
    return call(
        HttpRequest.newBuilder(URI.create(address + "/api/2.0/" + path))
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(body))
            .build());
  }

  private JsonNode call(HttpRequest request) throws Exception {
    return JSON.readTree(http.send(request, HttpResponse.BodyHandlers.ofString()).body());
  }

  @Override
  public void close() {
    process.descendants().forEach(ProcessHandle::destroyForcibly);
    process.destroyForcibly();
    try {
      process.waitFor(10, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
