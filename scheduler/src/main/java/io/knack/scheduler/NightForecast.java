package io.knack.scheduler;

import io.knack.contracts.id.RunId;
import io.knack.contracts.stage.Allowance;
import io.knack.scheduler.NightRecord.StageRecord;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What a night would run and what it would cost, by what the nights before took.
 *
 * @param inputBytes of the logs that the plan names
 * @param limits of the plan: what it will not cost more than
 * @param seconds of the stages that would run; null when one of them never ran here
 * @param tokens likewise
 * @param money likewise: tokens and device time by the plan's prices
 * @param environment variables that every stage gets
 * @param stages in order
 */
public record NightForecast(
    RunId run,
    long inputBytes,
    NightPlan.Limits limits,
    @Nullable Double seconds,
    @Nullable Double tokens,
    @Nullable Double money,
    Map<String, String> environment,
    List<StageForecast> stages) {

  /**
   * One stage.
   *
   * @param action {@code run}, or {@code done} where this night has it behind it
   * @param seconds median of the nights before that did work; null when there was none
   * @param tokens likewise, of models
   * @param money likewise
   * @param arguments of {@code ./knack}, the verb first
   */
  public record StageForecast(
      String name,
      String action,
      @Nullable Double seconds,
      @Nullable Double tokens,
      @Nullable Double money,
      List<String> arguments) {
    boolean runs() {
      return action.equals("run");
    }
  }

  static NightForecast of(
      Path home,
      NightPlan plan,
      StageGraph graph,
      NightRecord record,
      BiFunction<RunId, String, List<String>> arguments,
      Map<String, String> environment) {
    List<StageRecord> before =
        NightRecord.all(home).stream()
            .flatMap(night -> night.stages().stream())
            .filter(stage -> stage.outcome().equals("committed"))
            .toList();
    List<StageForecast> stages = new ArrayList<>();
    for (StageGraph.Node node : graph.stages()) {
      boolean done = record.stages().stream().anyMatch(stage -> stage.name().equals(node.name()));
      List<StageRecord> same =
          before.stream().filter(stage -> stage.name().equals(node.name())).toList();
      stages.add(
          new StageForecast(
              node.name(),
              done ? "done" : "run",
              median(same.stream().mapToDouble(StageRecord::seconds).toArray()),
              median(same.stream().mapToDouble(stage -> spent(stage).tokens()).toArray()),
              median(
                  same.stream()
                      .mapToDouble(
                          stage ->
                              spent(stage).money(plan.prices())
                                  + stage.seconds() / 3600 * plan.deviceHour())
                      .toArray()),
              arguments.apply(record.run(), node.name())));
    }
    long bytes = plan.logs().input().stream().mapToLong(NightForecast::bytes).sum();
    List<StageForecast> running = stages.stream().filter(StageForecast::runs).toList();
    boolean known = running.stream().allMatch(stage -> stage.seconds() != null);
    return new NightForecast(
        record.run(),
        bytes,
        plan.limits(),
        known ? running.stream().mapToDouble(stage -> or0(stage.seconds())).sum() : null,
        known ? running.stream().mapToDouble(stage -> or0(stage.tokens())).sum() : null,
        known ? running.stream().mapToDouble(stage -> or0(stage.money())).sum() : null,
        environment,
        stages);
  }

  private static double or0(@Nullable Double value) {
    return value == null ? 0 : value;
  }

  private static Allowance.Spent spent(StageRecord stage) {
    return new Allowance.Spent(
        figure(stage, "spent_prompt_tokens"),
        figure(stage, "spent_cached_prompt_tokens"),
        figure(stage, "spent_completion_tokens"));
  }

  private static long figure(StageRecord stage, String name) {
    return stage.figures().get(name) instanceof Number number ? number.longValue() : 0;
  }

  private static @Nullable Double median(double[] values) {
    Arrays.sort(values);
    return values.length == 0 ? null : values[values.length / 2];
  }

  private static long bytes(Path path) {
    if (!Files.exists(path)) {
      return 0;
    }
    try (Stream<Path> walk = Files.walk(path)) {
      return walk.filter(Files::isRegularFile).mapToLong(file -> file.toFile().length()).sum();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
