package io.knack.scheduler;

import io.knack.contracts.id.RunId;
import io.knack.scheduler.NightRecord.StageRecord;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BiFunction;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What a night would run and what it would cost, by what the last nights took.
 *
 * @param inputBytes of the logs that the plan names
 * @param stages in order
 */
public record NightForecast(RunId run, long inputBytes, List<StageForecast> stages) {

  /**
   * One stage.
   *
   * @param action {@code run}, or {@code done} where this night has it behind it
   * @param seconds median of the nights before that did work; null when there was none
   * @param tokens likewise, model tokens
   * @param arguments of {@code ./knack}, the verb first
   */
  public record StageForecast(
      String name,
      String action,
      @Nullable Double seconds,
      @Nullable Double tokens,
      List<String> arguments) {}

  static NightForecast of(
      Path home,
      NightPlan plan,
      StageGraph graph,
      NightRecord record,
      BiFunction<RunId, String, List<String>> arguments) {
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
              median(
                  same.stream()
                      .map(stage -> stage.figures().get("spent_tokens"))
                      .filter(Number.class::isInstance)
                      .mapToDouble(tokens -> ((Number) tokens).doubleValue())
                      .toArray()),
              arguments.apply(record.run(), node.name())));
    }
    long bytes = plan.logs().input().stream().mapToLong(NightForecast::bytes).sum();
    return new NightForecast(record.run(), bytes, stages);
  }

  private static @Nullable Double median(double[] values) {
    java.util.Arrays.sort(values);
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
