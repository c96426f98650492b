package io.knack.scheduler;

import io.knack.contracts.PriceBook;
import io.knack.contracts.plan.Address;
import io.knack.contracts.plan.Default;
import io.knack.contracts.plan.Doc;
import io.knack.contracts.plan.Range;
import io.knack.contracts.stage.PlanException;
import java.nio.file.Path;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.ZoneId;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * {@code config/night.yaml}: what a night learns from, what it may make, what it may cost, when.
 */
public record NightPlan(
    @Doc("the logs; without any, the night goes on from what was imported before") Logs logs,
    @Doc("the model that is served, and learns") Model model,
    @Doc("directory of a sentence encoder (BERT family) for mining and all that follows")
        @Nullable Path encoder,
    @Doc("kinds of memory to make") @Default("[adapter, rules, episodes]") List<String> memories,
    @Doc("plan file per stage; a stage without one has its defaults") Map<String, Path> plans,
    @Doc("stage to field to value: overrides of the stage's plan")
        Map<String, Map<String, String>> set,
    @Doc("hard limits; the night stops in order when one is reached") Limits limits,
    @Doc("turns tokens into money, for the limit and the forecast") PriceBook prices,
    @Doc("an hour of the device that the stages run on, in the same currency")
        @Default("0.0")
        @Range(min = 0)
        double deviceHour,
    @Doc("where runs are recorded besides files below the home") Tracking tracking,
    @Doc("attempts at a stage that ends with 75") @Default("3") @Range(min = 1, max = 100)
        int attempts,
    @Doc("wait before the second attempt; doubled each time") @Default("30s") Duration backOff,
    @Doc("graph of stages") @Default("config/graph.yaml") Path graph,
    @Doc("for './knack schedule'") Schedule schedule) {

  private static final Set<String> MEMORIES = Set.of("adapter", "rules", "episodes");

  /**
   * Where traffic is logged.
   *
   * @param map field to path, for CSV and JSON of one's own
   */
  public record Logs(@Default("auto") String format, List<Path> input, Map<String, String> map) {}

  /**
   * The served model: a checkpoint directory, an endpoint, or both (an adapter needs the
   * checkpoint).
   *
   * @param name what serving calls it
   */
  public record Model(
      @Nullable Path directory,
      @Address @Nullable String endpoint,
      @Nullable String name,
      @Nullable String revision) {}

  /**
   * An MLflow server; its token comes from the environment only.
   *
   * @param server such as http://localhost:5000; null for what the environment says
   */
  public record Tracking(@Address @Nullable String server, @Default("knack") String experiment) {}

  /** Limits of one night; null for none. */
  public record Limits(
      @Nullable @Range(min = 0) Long tokens,
      @Nullable @Range(min = 0) Double deviceMinutes,
      @Nullable @Range(min = 0) Double money,
      @Nullable @Doc("from the night's start") Duration window) {}

  /**
   * When nights start.
   *
   * @param cron Quartz form: seconds minutes hours day-of-month month day-of-week
   * @param healthPort on loopback; 0 takes a free one
   */
  public record Schedule(
      @Default("0 30 1 * * ?") String cron,
      @Default("UTC") String timeZone,
      @Default("8377") @Range(min = 0, max = 65535) int healthPort,
      @Doc("attempts at a night that ends with 75") @Default("3") @Range(min = 1, max = 100)
          int attempts,
      @Default("15m") Duration backOff) {
    public Schedule {
      List<String> problems = new ArrayList<>();
      try {
        ZoneId zone = ZoneId.of(timeZone);
        timeZone = zone.getId();
      } catch (DateTimeException e) {
        problems.add(
            "time_zone: is " + timeZone + ", expected a zone such as Europe/Berlin or UTC");
      }
      if (!org.quartz.CronExpression.isValidExpression(cron)) {
        problems.add(
            "cron: is '"
                + cron
                + "', expected six fields such as '0 30 1 * * ?' (01:30 each night)");
      }
      if (!problems.isEmpty()) {
        throw new PlanException(problems);
      }
    }
  }

  public NightPlan {
    memories = List.copyOf(memories);
    List<String> problems = new ArrayList<>();
    for (String memory : memories) {
      if (!MEMORIES.contains(memory)) {
        problems.add("memories: has '" + memory + "', expected adapter, rules, episodes");
      }
    }
    if (!problems.isEmpty()) {
      throw new PlanException(problems);
    }
  }
}
