package io.knack.scheduler;

import static org.assertj.core.api.Assertions.assertThat;

import io.knack.contracts.cli.Console;
import io.knack.contracts.plan.Plans;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class NightScheduleTest {
  private static final StageGraph ONE_STAGE =
      new StageGraph(
          List.of(
              new StageGraph.Node(
                  "import", List.of(), StageGraph.Join.ALL, StageGraph.Engine.LOCAL, null)));

  @TempDir Path home;

  @Test
  void nightsComeByCronAndHealthIsTold() throws IOException, InterruptedException {
    QueueLauncher launcher = new QueueLauncher();
    try (NightSchedule schedule = schedule(launcher, "schedule.cron='0/1 * * * * ?'")) {
      schedule.start();
      assertThat(launcher.started.poll(30, TimeUnit.SECONDS)).isEqualTo("import");
      HttpResponse<String> health =
          HttpClient.newHttpClient()
              .send(
                  HttpRequest.newBuilder(
                          URI.create("http://127.0.0.1:" + schedule.healthPort() + "/health"))
                      .build(),
                  HttpResponse.BodyHandlers.ofString());
      assertThat(health.body()).contains("\"status\":\"up\"", "next_night");
    }
    assertThat(NightSchedule.nextFile(home)).exists();
  }

  /** Several nights are missed while nothing runs; one makes up for them. */
  @Test
  void missedNightsAreCaughtUpByOne() throws SQLException, InterruptedException {
    QueueLauncher launcher = new QueueLauncher();
    String yearly = "schedule.cron='0 0 3 1 1 ?'";
    try (NightSchedule first = schedule(launcher, yearly)) {
      first.start();
    }
    try (Connection store =
            DriverManager.getConnection(
                DurableJobStore.url(home.resolve("schedule/quartz")), "sa", "");
        Statement statement = store.createStatement()) {
      long threeYearsAgo = Clock.systemUTC().millis() - Duration.ofDays(3 * 366L).toMillis();
      assertThat(
              statement.executeUpdate("update QRTZ_TRIGGERS set NEXT_FIRE_TIME=" + threeYearsAgo))
          .isEqualTo(1);
    }
    try (NightSchedule schedule = schedule(launcher, yearly)) {
      schedule.start();
      assertThat(launcher.started.poll(30, TimeUnit.SECONDS)).isEqualTo("import");
    }
    assertThat(launcher.started).as("further nights").isEmpty();
  }

  @Test
  void aNightThatEndsWith75IsTriedAgain() throws InterruptedException {
    QueueLauncher launcher = new QueueLauncher();
    launcher.code = 75;
    try (NightSchedule schedule =
        schedule(
            launcher,
            "attempts=1",
            "schedule.back_off=100ms",
            "schedule.attempts=2",
            "schedule.cron='0/1 * * * * ?'")) {
      schedule.start();
      assertThat(launcher.started.poll(30, TimeUnit.SECONDS)).isEqualTo("import");
      assertThat(launcher.started.poll(30, TimeUnit.SECONDS)).isEqualTo("import");
    }
    assertThat(NightRecord.all(home)).as("resumed, not begun anew").hasSize(1);
  }

  /** As a process: what a service manager sees. */
  @Test
  void aScheduleThatCannotStartDoesNotEndWell() throws IOException, InterruptedException {
    Path out = home.resolve("out.txt");
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      assertThat(exitOfSchedule(home.resolve("a"), taken.getLocalPort(), out)).isEqualTo(75);
      assertThat(out).content().contains("cannot start the schedule in", "Address already in use");
    }
    Path file = Files.writeString(home.resolve("file"), "no directory");
    assertThat(exitOfSchedule(file, 0, out)).isEqualTo(2);
    assertThat(out).content().contains(file + " is a file, expected a directory");
  }

  private static int exitOfSchedule(Path home, int healthPort, Path out)
      throws IOException, InterruptedException {
    ProcessBuilder builder =
        new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-cp",
            System.getProperty("java.class.path"),
            Main.class.getName(),
            "schedule",
            "--home",
            home.toString(),
            "--set",
            "graph=" + Path.of(System.getProperty("knack.root"), "config", "graph.yaml"),
            "--set",
            "schedule.health_port=" + healthPort);
    builder.environment().put("KNACK_LAUNCHER", "/bin/true");
    Process process = builder.redirectErrorStream(true).redirectOutput(out.toFile()).start();
    try {
      assertThat(process.waitFor(60, TimeUnit.SECONDS)).as("it ends").isTrue();
      return process.exitValue();
    } finally {
      process.destroyForcibly();
    }
  }

  private NightSchedule schedule(StageLauncher launcher, String... overrides) {
    List<String> all = new java.util.ArrayList<>(List.of(overrides));
    all.add("schedule.health_port=0");
    return new NightSchedule(
        home,
        Plans.read(NightPlan.class, null, all),
        ONE_STAGE,
        launcher,
        Clock.systemUTC(),
        Console.silent());
  }

  private static final class QueueLauncher implements StageLauncher {
    private final BlockingQueue<String> started = new LinkedBlockingQueue<>();
    private volatile int code;

    @Override
    public StageExit launch(
        List<String> arguments, Map<String, String> environment, Duration patience, Path log) {
      started.add(arguments.get(0));
      return new StageExit(code, "{\"outcome\":\"unchanged\"}");
    }

    @Override
    public void stop() {}
  }
}
