package io.knack.spark;

import static org.assertj.core.api.Assertions.assertThat;

import io.knack.contracts.store.ArtifactKind;
import io.knack.contracts.store.ArtifactStore;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The packaged job jar under a real Spark distribution (pyspark's, which scripts/python-env
 * installs): a standalone master and one worker on loopback. {@code spark-jobs/spark-submit-check}
 * does more, with the launcher's stages behind it.
 */
final class SparkSubmitIT {
  private static final Path ROOT = Path.of(System.getProperty("knack.root", "..")).toAbsolutePath();
  private static final List<Process> STARTED = new ArrayList<>();

  @TempDir static Path dir;

  private static Path spark = Path.of(".");
  private static String master = "";

  @BeforeAll
  static void cluster() throws IOException, InterruptedException {
    Path python = Path.of(said(List.of(ROOT.resolve("scripts/python-env").toString(), "pyspark")));
    spark =
        Path.of(
            said(
                List.of(
                    python.toString(),
                    "-c",
                    "import os, pyspark; print(os.path.dirname(pyspark.__file__))")));
    int port = freePort();
    master = "spark://127.0.0.1:" + port;
    daemon("master.Master", "--host", "127.0.0.1", "--port", "" + port, "--webui-port", "0");
    awaitMaster();
    daemon(
        "worker.Worker",
        "--host",
        "127.0.0.1",
        "--webui-port",
        "0",
        "--cores",
        "2",
        "--memory",
        "2g",
        "--work-dir",
        dir.resolve("work").toString(),
        master);
  }

  @AfterAll
  static void stop() throws InterruptedException {
    for (Process process : STARTED) {
      process.destroy();
      if (!process.waitFor(10, TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
    }
  }

  @Test
  void aNightRunsOnAClusterAndGoesOnFromTheDriver() throws IOException, InterruptedException {
    Path home = dir.resolve("home");
    Path launcher = launcher();
    int code =
        submit(
            "--home",
            home.toString(),
            "--run",
            "submitted",
            "--input",
            ROOT.resolve("data/logs/support.jsonl").toString(),
            "--set",
            "curate.all_as_one_cluster=true",
            "--then",
            "remember,evaluate,promote",
            "--launcher",
            launcher.toString());

    assertThat(Files.readString(dir.resolve("err"))).doesNotContain("Exception");
    assertThat(code).isZero();
    assertThat(Files.readAllLines(dir.resolve("out")))
        .filteredOn(line -> line.contains("\"stage\":"))
        .extracting(
            line -> line.replaceAll(".*\"stage\":\"(\\w+)\".*\"outcome\":\"(\\w+)\".*", "$1 $2"))
        .containsExactly("import committed", "mine committed", "curate committed");
    ArtifactStore store = ArtifactStore.open(home);
    for (ArtifactKind kind :
        List.of(ArtifactKind.INTERACTIONS, ArtifactKind.CLUSTERS, ArtifactKind.CURRICULUM)) {
      store.verify(store.latest(kind).orElseThrow());
    }
    // "evaluate" had nothing to hand on (99): what comes after it runs all the same.
    String each = " --home " + home + " --run submitted";
    assertThat(Files.readAllLines(dir.resolve("launched")))
        .containsExactly("remember" + each, "evaluate" + each, "promote" + each);

    int again = submit("--home", home.toString(), "--stages", "mine", "--run", "again");
    assertThat(again).isZero();
    assertThat(Files.readString(dir.resolve("out"))).contains("\"outcome\":\"already_committed\"");
  }

  private static int submit(String... arguments) throws IOException, InterruptedException {
    List<String> command =
        new ArrayList<>(
            List.of(
                spark.resolve("bin/spark-submit").toString(),
                "--master",
                master,
                "--driver-memory",
                "1g",
                "--executor-memory",
                "1g",
                "--class",
                "io.knack.spark.ConsolidationJob",
                jar().toString()));
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command);
    environment(builder);
    return builder
        .redirectOutput(dir.resolve("out").toFile())
        .redirectError(dir.resolve("err").toFile())
        .start()
        .waitFor();
  }

  /** Notes how it was called, and ends as stages do. */
  private static Path launcher() throws IOException {
    Path launcher = dir.resolve("launcher");
    Files.writeString(
        launcher,
        "#!/bin/sh\necho \"$*\" >>'"
            + dir.resolve("launched")
            + "'\n[ \"$1\" != evaluate ] || exit 99\n");
    assertThat(launcher.toFile().setExecutable(true)).isTrue();
    return launcher;
  }

  private static Path jar() throws IOException {
    try (Stream<Path> built = Files.list(Path.of("target"))) {
      return built
          .filter(file -> file.toString().endsWith("-job.jar"))
          .findFirst()
          .orElseThrow(() -> new AssertionError("no target/*-job.jar; run mvn package first"));
    }
  }

  private static void daemon(String name, String... arguments) throws IOException {
    List<String> command =
        new ArrayList<>(
            List.of(
                spark.resolve("bin/spark-class").toString(), "org.apache.spark.deploy." + name));
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    environment(builder);
    STARTED.add(builder.redirectOutput(dir.resolve(name + ".log").toFile()).start());
  }

  private static void environment(ProcessBuilder builder) {
    Map<String, String> environment = builder.environment();
    environment.put("SPARK_LOCAL_IP", "127.0.0.1");
    environment.put("SPARK_DAEMON_MEMORY", "256m");
    environment.remove("SPARK_HOME");
  }

  private static void awaitMaster() throws IOException, InterruptedException {
    Process master = STARTED.get(0);
    Path log = dir.resolve("master.Master.log");
    // The log grows until the master says that it is up; it ends if it cannot.
    while (!Files.readString(log).contains("Starting Spark master at")) {
      if (master.waitFor(200, TimeUnit.MILLISECONDS)) {
        throw new AssertionError("the master ended: " + Files.readString(log));
      }
    }
  }

  private static int freePort() {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String said(List<String> command) throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(String.join(" ", command)).isZero();
    List<String> lines = said.strip().lines().toList();
    return Objects.requireNonNull(lines.get(lines.size() - 1));
  }
}
