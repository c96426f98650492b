package io.knack.tracking;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import io.knack.contracts.stage.PlanException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RunTrackerTest {
  private static final Duration BRIEF = Duration.ofMillis(400);

  private static TrackingPlan plan(String server) {
    return new TrackingPlan(server, "e", "KNACK_NO_TOKEN", Duration.ofMillis(300), BRIEF);
  }

  private static List<String> lines(Path home) throws IOException {
    try (Stream<Path> all = Files.list(home.resolve("tracking"))) {
      Path file = all.filter(one -> one.toString().endsWith(".jsonl")).findFirst().orElseThrow();
      return Files.readAllLines(file);
    }
  }

  @Test
  void recordsLocally(@TempDir Path home) throws IOException {
    try (RunTracker tracker = RunTracker.open(TrackingPlan.LOCAL, home);
        TrackedRun run = tracker.start("train", Map.of("a", "b"))) {
      run.param("rank", 16);
      run.metric("loss", Double.NaN, 3);
      run.tag("x", "y");
      run.end(RunStatus.FINISHED);
      run.metric("late", 1, 4);
      assertThat(tracker.pending()).isZero();
    }
    List<String> lines = lines(home);
    assertThat(lines).hasSize(5);
    assertThat(lines.get(0)).startsWith("{\"event\":\"start\"").contains("\"name\":\"train\"");
    assertThat(lines.get(2)).contains("\"step\":3", "\"loss\":\"NaN\"");
    assertThat(lines.get(4)).contains("\"status\":\"FINISHED\"");
  }

  @Test
  void aRunThatIsOnlyClosedHasFailed(@TempDir Path home) throws IOException {
    try (RunTracker tracker = RunTracker.open(TrackingPlan.LOCAL, home)) {
      tracker.start("r", Map.of()).close();
    }
    assertThat(lines(home).get(1)).contains("FAILED");
  }

  @Test
  void leavesNothingWhereNothingWasRecorded(@TempDir Path home) {
    RunTracker.open(TrackingPlan.LOCAL, home).close();
    assertThat(home.resolve("tracking")).doesNotExist();
  }

  @Test
  void manyThreadsWriteWholeLines(@TempDir Path home) throws IOException {
    try (RunTracker tracker = RunTracker.open(TrackingPlan.LOCAL, home);
        TrackedRun run = tracker.start("r", Map.of())) {
      IntStream.range(0, 2000).parallel().forEach(i -> run.metric("m", i, i));
      run.end(RunStatus.FINISHED);
    }
    assertThat(lines(home))
        .hasSize(2002)
        .allMatch(line -> line.startsWith("{") && line.endsWith("}"));
  }

  @Test
  void aPlaceThatCannotBeWrittenDoesNotFailTheRun(@TempDir Path home) throws IOException {
    Files.writeString(home.resolve("tracking"), "a file where the directory should be");
    try (RunTracker tracker = RunTracker.open(TrackingPlan.LOCAL, home);
        TrackedRun run = tracker.start("r", Map.of())) {
      run.metric("m", 1, 1);
      run.artifact(home.resolve("missing"), "");
    }
  }

  @Test
  void aDeadServerNeitherFailsNorDelays(@TempDir Path home) throws Exception {
    int port;
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      port = socket.getLocalPort();
    }
    recordsQuickly("http://127.0.0.1:" + port, home);
  }

  @Test
  void aHangingServerNeitherFailsNorDelays(@TempDir Path home) throws Exception {
    // Takes connections and never answers.
    try (ServerSocket socket = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
      recordsQuickly("http://127.0.0.1:" + socket.getLocalPort(), home);
    }
  }

  private static void recordsQuickly(String server, Path home) throws IOException {
    long start = System.nanoTime();
    RunTracker tracker = RunTracker.open(plan(server), home);
    TrackedRun run = tracker.start("r", Map.of());
    for (int i = 0; i < 1000; i++) {
      run.metric("m", i, i);
    }
    run.end(RunStatus.FINISHED);
    Duration recording = Duration.ofNanos(System.nanoTime() - start);
    long closing = System.nanoTime();
    tracker.close();
    assertThat(recording).isLessThan(Duration.ofSeconds(5));
    assertThat(Duration.ofNanos(System.nanoTime() - closing)).isLessThan(Duration.ofSeconds(5));
    assertThat(tracker.pending()).isPositive();
    assertThat(lines(home)).hasSize(1002);
  }

  @Test
  void aTokenOfAWindowsFileIsSentAndAWrongOneNeitherSentNorShown(@TempDir Path home)
      throws Exception {
    BlockingQueue<String> sent = new LinkedBlockingQueue<>();
    HttpServer server =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext(
        "/",
        exchange -> {
          sent.add(exchange.getRequestHeaders().getFirst("Authorization"));
          exchange.sendResponseHeaders(503, -1);
          exchange.close();
        });
    server.start();
    try {
      TrackingPlan plan = plan("http://127.0.0.1:" + server.getAddress().getPort());
      for (String token : List.of("tok\nS3CRET", "tok-S3CRET\r")) {
        try (RunTracker tracker =
            Trackers.open(plan, home, Clock.systemUTC(), Map.of(plan.tokenVariable(), token))) {
          tracker.start("r", Map.of()).end(RunStatus.FINISHED);
        }
      }
      assertThat(sent.poll(30, TimeUnit.SECONDS)).isEqualTo("Bearer tok-S3CRET");
    } finally {
      server.stop(0);
    }
  }

  @Test
  void plansAreChecked() {
    assertThatThrownBy(() -> new TrackingPlan("x", " ", "T", Duration.ZERO, Duration.ofSeconds(-1)))
        .isInstanceOf(PlanException.class)
        .hasMessageContaining("server: is 'x', expected an http or https address")
        .hasMessageContaining("experiment: must not be blank")
        .hasMessageContaining("timeout: must be positive")
        .hasMessageContaining("closing: must not be negative");
  }

  @Test
  void anAddressThatIsNoneLeavesFilesAlone() {
    for (String uri :
        List.of("localhost:5000", "http://[bad", "databricks", "http://mlflow_server:5000", " ")) {
      assertThat(TrackingPlan.of(Map.of("MLFLOW_TRACKING_URI", uri)).server()).as(uri).isNull();
    }
    assertThat(TrackingPlan.of(Map.of("MLFLOW_TRACKING_URI", " http://mlflow:5000\r")).server())
        .isEqualTo("http://mlflow:5000");
  }

  @Test
  void noTrackerTakesEverything() {
    try (RunTracker tracker = RunTracker.none();
        TrackedRun run = tracker.start("r", Map.of())) {
      run.metric("m", 1, 1);
      tracker.setAlias(new ModelVersion("m", "k"), "champion");
      assertThat(tracker.pending()).isZero();
    }
  }
}
