package io.knack.scheduler;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.knack.contracts.id.RunId;
import io.knack.contracts.plan.Plans;
import io.knack.contracts.stage.PlanException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class NightPlanTest {
  private static final Path ROOT = Path.of(System.getProperty("knack.root"));

  @TempDir Path directory;

  @Test
  void everyFieldHasADefault() {
    NightPlan plan = Plans.read(NightPlan.class, null, List.of());
    assertThat(plan.memories()).containsExactly("adapter", "rules", "episodes");
    assertThat(plan.schedule().cron()).isEqualTo("0 30 1 * * ?");
    assertThat(plan.limits().tokens()).isNull();
  }

  @Test
  void theShippedPlanShowsEveryDefault() {
    Path file = ROOT.resolve("config/night.yaml");
    assertThat(Plans.read(NightPlan.class, file, List.of()))
        .isEqualTo(Plans.read(NightPlan.class, null, List.of()));
    assertThat(Plans.leftOut(NightPlan.class, file)).isEmpty();
  }

  @Test
  void everyKeyIsMapped() throws IOException {
    Path file =
        Files.writeString(
            directory.resolve("night.yaml"),
            """
            logs: {format: openai, input: [a.jsonl, b c.jsonl], map: {prompt: q}}
            model: {directory: base, endpoint: 'http://127.0.0.1:8000/v1', name: org/base, revision: abc}
            memories: [rules]
            plans: {mine: config/mine.yaml}
            set: {import: {limit: 5}}
            limits: {tokens: 10, device_minutes: 1.5, money: 2, window: 4h}
            prices: {per_million_completion_tokens: 3}
            device_hour: 1.25
            tracking: {server: 'http://localhost:5000', experiment: shop}
            attempts: 5
            back_off: 1s
            graph: g.yaml
            schedule: {cron: '0 0 3 * * ?', time_zone: Europe/Berlin, health_port: 0, attempts: 2, back_off: 1m}
            """);
    NightPlan plan = Plans.read(NightPlan.class, file, List.of());
    assertThat(plan.limits()).isEqualTo(new NightPlan.Limits(10L, 1.5, 2.0, Duration.ofHours(4)));
    assertThat(plan.prices().perMillionCompletionTokens()).isEqualTo(3);
    assertThat(plan.deviceHour()).isEqualTo(1.25);
    assertThat(plan.tracking()).isEqualTo(new NightPlan.Tracking("http://localhost:5000", "shop"));
    assertThat(plan.schedule())
        .isEqualTo(
            new NightPlan.Schedule("0 0 3 * * ?", "Europe/Berlin", 0, 2, Duration.ofMinutes(1)));
    assertThat(StageArguments.of(plan, Path.of("h"), new RunId("r"), "import"))
        .containsExactly(
            "import",
            "--home",
            "h",
            "--run",
            "r",
            "--json",
            "--set",
            "format=openai",
            "--set",
            "input=['a.jsonl', 'b c.jsonl']",
            "--set",
            "limit=5",
            "--set",
            "map.prompt='q'");
    assertThat(StageArguments.of(plan, Path.of("h"), new RunId("r"), "reflect"))
        .contains("endpoint='http://127.0.0.1:8000/v1'", "endpoint_model='org/base'");
    assertThat(StageArguments.of(plan, Path.of("h"), new RunId("r"), "mine"))
        .contains("--plan", "config/mine.yaml");
  }

  @Test
  void everyBoundIsChecked() {
    assertThatThrownBy(
            () ->
                Plans.read(
                    NightPlan.class,
                    null,
                    List.of(
                        "attempts=0",
                        "limits.tokens=-1",
                        "limits.device_minutes=-1",
                        "limits.money=-1",
                        "device_hour=-1",
                        "schedule.health_port=70000",
                        "schedule.attempts=0")))
        .isInstanceOf(PlanException.class)
        .hasMessageContainingAll(
            "7 problems",
            "attempts: is 0",
            "limits.tokens",
            "limits.device_minutes",
            "limits.money",
            "device_hour",
            "schedule.health_port",
            "schedule.attempts");
    assertThatThrownBy(() -> Plans.read(NightPlan.class, null, List.of("memories=[dreams]")))
        .hasMessageContaining("has 'dreams', expected adapter, rules, episodes");
    assertThatThrownBy(() -> Plans.read(NightPlan.class, null, List.of("schedule.cron=nightly")))
        .hasMessageContaining("expected six fields");
    assertThatThrownBy(() -> Plans.read(NightPlan.class, null, List.of("schedule.time_zone=Mars")))
        .hasMessageContaining("expected a zone such as Europe/Berlin");
    assertThatThrownBy(
            () ->
                Plans.read(
                    NightPlan.class,
                    null,
                    List.of(
                        "limits.window=-4h",
                        "schedule.time_zone=Mars",
                        "schedule.cron=nightly",
                        "memories=[dreams, wishes]")))
        .as("all at once")
        .hasMessageContainingAll(
            "5 problems",
            "limits.window",
            "'dreams'",
            "'wishes'",
            "schedule.cron",
            "schedule.time");
  }

  @Test
  void passwordsAreRefusedAndNotRepeated() {
    assertThatThrownBy(
            () ->
                Plans.read(
                    NightPlan.class,
                    null,
                    List.of(
                        "model.endpoint=http://u:s3cret@127.0.0.1:9/v1",
                        "tracking.server=http://s3cret@h:1",
                        "set.promote.replicas='[http://u:s3cret@gpu:8000]'")))
        .isInstanceOf(PlanException.class)
        .hasMessageContainingAll(
            "3 problems",
            "model.endpoint: must not hold a user name or password in an address",
            "tracking.server: must not hold",
            "set.promote.replicas: must not hold")
        .hasMessageNotContaining("s3cret");
    assertThatThrownBy(
            () -> Plans.read(NightPlan.class, null, List.of("model.endpoint=localhost:8000")))
        .hasMessageContaining(
            "model.endpoint: is 'localhost:8000', expected an http or https address");
  }

  @Test
  void aGraphThatCannotRunIsRefused() throws IOException {
    Path file =
        Files.writeString(
            directory.resolve("graph.yaml"),
            "stages: [{name: mine, needs: [import]}, {name: import}]\n");
    assertThatThrownBy(() -> StageGraph.read(file))
        .isInstanceOf(PlanException.class)
        .hasMessageContaining("mine needs import, which is not named before it");
  }
}
