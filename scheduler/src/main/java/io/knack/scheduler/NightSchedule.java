package io.knack.scheduler;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.sun.net.httpserver.HttpServer;
import io.knack.contracts.cli.Console;
import io.knack.contracts.stage.ExitCode;
import io.knack.contracts.stage.KnackException;
import io.knack.contracts.stage.TemporaryException;
import io.knack.contracts.store.DurableFiles;
import io.knack.contracts.store.Jsons;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Properties;
import java.util.TimeZone;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.quartz.CronScheduleBuilder;
import org.quartz.CronTrigger;
import org.quartz.DisallowConcurrentExecution;
import org.quartz.Job;
import org.quartz.JobBuilder;
import org.quartz.JobDetail;
import org.quartz.JobExecutionContext;
import org.quartz.JobKey;
import org.quartz.Scheduler;
import org.quartz.SchedulerException;
import org.quartz.Trigger;
import org.quartz.TriggerBuilder;
import org.quartz.TriggerKey;
import org.quartz.impl.StdSchedulerFactory;

/**
 * Nights by cron: Quartz with a durable H2 store in the workspace. What was missed while no
 * scheduler ran is made up for by one night ("fire and proceed"); nights never overlap, in this
 * process by Quartz, over processes by {@link NightLease}; a night that ends with 75 is tried again
 * with growing waits.
 */
final class NightSchedule implements AutoCloseable {
  private static final JobKey JOB = new JobKey("night", "knack");
  private static final TriggerKey CRON = new TriggerKey("cron", "knack");
  private static final TriggerKey RETRY = new TriggerKey("retry", "knack");
  private static final String ATTEMPT = "attempt";
  private static final String SELF = "knack.schedule";

  private final Path home;
  private final NightPlan plan;
  private final StageGraph graph;
  private final StageLauncher launcher;
  private final Clock clock;
  private final Console console;
  private final AtomicReference<@Nullable Night> atWork = new AtomicReference<>();
  private final AtomicReference<@Nullable NightRecord> last = new AtomicReference<>();
  private @Nullable Scheduler scheduler;
  private @Nullable HttpServer health;

  NightSchedule(
      Path home,
      NightPlan plan,
      StageGraph graph,
      StageLauncher launcher,
      Clock clock,
      Console console) {
    this.home = home.toAbsolutePath().normalize();
    this.plan = plan;
    this.graph = graph;
    this.launcher = launcher;
    this.clock = clock;
    this.console = console;
  }

  /** Where the next night's time is published for {@code ./knack status}. */
  static Path nextFile(Path home) {
    return home.resolve("schedule").resolve("next.json");
  }

  void start() {
    try {
      Path store = home.resolve("schedule");
      Files.createDirectories(store);
      DurableJobStore.prepare(store.resolve("quartz"));
      Scheduler quartz =
          new StdSchedulerFactory(properties(store.resolve("quartz"))).getScheduler();
      quartz.getContext().put(SELF, this);
      scheduler = quartz;
      JobDetail job =
          JobBuilder.newJob(NightJob.class)
              .withIdentity(JOB)
              .storeDurably()
              .requestRecovery()
              .build();
      quartz.addJob(job, true);
      CronTrigger cron =
          TriggerBuilder.newTrigger()
              .withIdentity(CRON)
              .forJob(JOB)
              .withSchedule(
                  CronScheduleBuilder.cronSchedule(plan.schedule().cron())
                      .inTimeZone(TimeZone.getTimeZone(plan.schedule().timeZone()))
                      .withMisfireHandlingInstructionFireAndProceed())
              .build();
      // A stored trigger with the same cron is kept: it remembers what was missed.
      if (!(quartz.getTrigger(CRON) instanceof CronTrigger stored)
          || !stored.getCronExpression().equals(cron.getCronExpression())
          || !stored.getTimeZone().equals(cron.getTimeZone())) {
        if (quartz.checkExists(CRON)) {
          quartz.rescheduleJob(CRON, cron);
        } else {
          quartz.scheduleJob(cron);
        }
      }
      serveHealth();
      quartz.start();
      publishNext();
      console.say("schedule: next night at " + next());
    } catch (SchedulerException | IOException e) {
      throw new TemporaryException(
          "cannot start the schedule in " + home + ": " + e.getMessage(), e);
    }
  }

  /** Stops in order: the stage at work saves and leaves, its night is resumed at the next start. */
  @Override
  public void close() {
    Night night = atWork.get();
    if (night != null) {
      night.stop();
    }
    try {
      if (scheduler != null) {
        scheduler.shutdown(true);
      }
    } catch (SchedulerException e) {
      console.say("schedule: " + e.getMessage());
    }
    if (health != null) {
      health.stop(0);
    }
  }

  /** On loopback; for tests that took a free port. */
  int healthPort() {
    if (health == null) {
      throw new IllegalStateException("not started");
    }
    return health.getAddress().getPort();
  }

  private void runNight(int attempt) throws InterruptedException {
    Night night = new Night(home, plan, graph, launcher, clock, console, Night.Pause.REAL);
    atWork.set(night);
    int exit;
    boolean limited = false;
    try {
      NightRecord record = night.run(null);
      last.set(record);
      console.say("schedule: night " + record.run() + ": " + record.reason());
      exit = record.exit() == null ? ExitCode.BUG.code() : record.exit();
      limited = record.limited();
    } catch (KnackException e) {
      console.say("schedule: " + e.getMessage());
      exit = e.exitCode().code();
    } finally {
      atWork.set(null);
    }
    try {
      // What a limit has stopped waits for the next night: trying again would spend it again.
      if (exit == ExitCode.TEMPORARY.code() && !limited && attempt < plan.schedule().attempts()) {
        retryLater(attempt + 1);
      }
      publishNext();
    } catch (SchedulerException | IOException e) {
      console.say("schedule: " + e.getMessage());
    }
  }

  private void retryLater(int attempt) throws SchedulerException {
    Scheduler quartz = scheduler;
    if (quartz == null || quartz.isShutdown()) {
      return;
    }
    Duration wait = plan.schedule().backOff().multipliedBy(1L << Math.min(attempt - 2, 10));
    Trigger retry =
        TriggerBuilder.newTrigger()
            .withIdentity(RETRY)
            .forJob(JOB)
            .usingJobData(ATTEMPT, String.valueOf(attempt))
            .startAt(Date.from(clock.instant().plus(wait)))
            .build();
    if (quartz.checkExists(RETRY)) {
      quartz.rescheduleJob(RETRY, retry);
    } else {
      quartz.scheduleJob(retry);
    }
    console.say("schedule: attempt " + attempt + " in " + Night.spell(wait));
  }

  private @Nullable Instant next() throws SchedulerException {
    Trigger cron = scheduler == null ? null : scheduler.getTrigger(CRON);
    Date next = cron == null ? null : cron.getNextFireTime();
    return next == null ? null : next.toInstant();
  }

  private void publishNext() throws SchedulerException, IOException {
    Map<String, @Nullable Object> document = new LinkedHashMap<>();
    Instant next = next();
    document.put("next_night", next == null ? null : next.toString());
    DurableFiles.replace(nextFile(home), Jsons.mapper().writeValueAsString(document) + "\n");
  }

  private void serveHealth() throws IOException {
    HttpServer server =
        HttpServer.create(
            new InetSocketAddress(InetAddress.getLoopbackAddress(), plan.schedule().healthPort()),
            0);
    server.createContext(
        "/health",
        exchange -> {
          byte[] body = healthDocument().getBytes(StandardCharsets.UTF_8);
          exchange.getResponseHeaders().add("Content-Type", "application/json");
          exchange.sendResponseHeaders(200, body.length);
          exchange.getResponseBody().write(body);
          exchange.close();
        });
    server.start();
    health = server;
  }

  private String healthDocument() throws JsonProcessingException {
    Map<String, @Nullable Object> document = new LinkedHashMap<>();
    document.put("status", "up");
    document.put("at_work", atWork.get() != null);
    try {
      Instant next = next();
      document.put("next_night", next == null ? null : next.toString());
    } catch (SchedulerException e) {
      document.put("status", "store unavailable");
    }
    NightRecord record = last.get();
    if (record != null) {
      document.put("last_run", record.run().value());
      document.put("last_exit", record.exit());
      document.put("last_reason", record.reason());
    }
    return Jsons.mapper().writeValueAsString(document);
  }

  private static Properties properties(Path database) {
    Properties properties = new Properties();
    properties.put("org.quartz.scheduler.instanceName", "knack");
    properties.put("org.quartz.scheduler.skipUpdateCheck", "true");
    properties.put("org.quartz.threadPool.threadCount", "1");
    properties.put("org.quartz.threadPool.makeThreadsDaemons", "true");
    properties.put("org.quartz.jobStore.class", "org.quartz.impl.jdbcjobstore.JobStoreTX");
    properties.put(
        "org.quartz.jobStore.driverDelegateClass", "org.quartz.impl.jdbcjobstore.StdJDBCDelegate");
    properties.put("org.quartz.jobStore.useProperties", "true");
    properties.put("org.quartz.jobStore.misfireThreshold", "60000");
    properties.put("org.quartz.jobStore.dataSource", "nights");
    properties.put(
        "org.quartz.dataSource.nights.connectionProvider.class",
        DurableJobStore.Connections.class.getName());
    properties.put("org.quartz.dataSource.nights.url", DurableJobStore.url(database));
    return properties;
  }

  /** Made by Quartz; finds its schedule in the scheduler's context. */
  @DisallowConcurrentExecution
  public static final class NightJob implements Job {
    @Override
    public void execute(JobExecutionContext context) {
      try {
        String attempt = context.getTrigger().getJobDataMap().getString(ATTEMPT);
        if (context.getScheduler().getContext().get(SELF) instanceof NightSchedule schedule) {
          schedule.runNight(attempt == null ? 1 : Integer.parseInt(attempt));
        }
      } catch (SchedulerException e) {
        throw new IllegalStateException(e);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
