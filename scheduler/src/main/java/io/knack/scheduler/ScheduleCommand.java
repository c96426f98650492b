package io.knack.scheduler;

import io.knack.contracts.cli.HomeOptions;
import io.knack.contracts.cli.Terminal;
import io.knack.contracts.plan.Plans;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code schedule}: the night by cron, in the foreground. */
@Command(
    name = "schedule",
    mixinStandardHelpOptions = true,
    description = {
      "Runs the night by the cron of its plan, in the foreground, until SIGTERM. What was missed",
      "while it was down is caught up by one run. Health: http://127.0.0.1:PORT/health."
    },
    footer = {"", "Example: ./knack schedule --plan config/night.yaml"})
public final class ScheduleCommand implements Callable<Integer> {
  @Mixin HomeOptions home = new HomeOptions();

  @Option(names = "--plan", paramLabel = "FILE", description = "YAML plan; defaults without one")
  @Nullable Path plan;

  @Option(names = "--set", paramLabel = "PATH=VALUE", description = "override one plan field")
  List<String> overrides = new ArrayList<>();

  @Override
  public Integer call() throws InterruptedException {
    NightPlan night = Plans.read(NightPlan.class, plan, overrides);
    StageGraph graph = StageGraph.read(NightCommand.resolve(night.graph()));
    CountDownLatch stopped = new CountDownLatch(1);
    NightSchedule schedule =
        new NightSchedule(
            home.home,
            night,
            graph,
            ProcessLauncher.ofThisProcess(),
            Clock.systemUTC(),
            Terminal.standard());
    Thread hook =
        new Thread(
            () -> {
              schedule.close();
              stopped.countDown();
              Runtime.getRuntime().halt(0);
            },
            "schedule-stop");
    Runtime.getRuntime().addShutdownHook(hook);
    try {
      schedule.start();
    } catch (RuntimeException e) {
      abandon(schedule, hook);
      throw e;
    }
    stopped.await();
    return 0;
  }

  /** A schedule that did not start ends with its problem's exit code, not with the signal's 0. */
  private static void abandon(NightSchedule schedule, Thread hook) {
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      return; // The signal came: the hook closes the schedule and ends the process.
    }
    schedule.close();
  }
}
