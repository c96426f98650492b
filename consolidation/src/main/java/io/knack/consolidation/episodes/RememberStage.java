package io.knack.consolidation.episodes;

import io.knack.contracts.Cluster;
import io.knack.contracts.stage.Stage;
import io.knack.contracts.stage.StageContext;
import io.knack.contracts.stage.StageInput;
import io.knack.contracts.stage.StageInput.Need;
import io.knack.contracts.stage.StageInputs;
import io.knack.contracts.stage.StageResult;
import io.knack.contracts.stage.TemporaryException;
import io.knack.contracts.store.Artifact;
import io.knack.contracts.store.ArtifactKind;
import io.knack.contracts.table.RowDigest;
import io.knack.contracts.table.Tables;
import io.knack.practice.features.Encoders;
import io.knack.practice.features.FeatureSpace;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;

/** {@code remember}: verified solutions to episodes, the few that serve a prompt best. */
public final class RememberStage implements Stage<RememberPlan> {
  /** Where mining leaves the space that its centroids live in. */
  static final String SPACE = "feature_space.bin";

  /** Fewer solutions than this are written by one thread into one file. */
  private static final long ONE_FILE = 50_000;

  private static final int FILES = 4;

  @Override
  public String name() {
    return "remember";
  }

  @Override
  public Class<RememberPlan> planType() {
    return RememberPlan.class;
  }

  @Override
  public ArtifactKind produces() {
    return ArtifactKind.EPISODES;
  }

  @Override
  public List<StageInput> inputs(RememberPlan plan) {
    return List.of(
        new StageInput(ArtifactKind.CURRICULUM, Need.LATEST),
        new StageInput(ArtifactKind.CLUSTERS, Need.LATEST));
  }

  @Override
  public StageResult run(RememberPlan plan, StageInputs inputs, StageContext context) {
    Artifact clusters = inputs.required(ArtifactKind.CLUSTERS);
    FeatureSpace space = FeatureSpace.load(clusters.file(SPACE), Encoders.of(context.home()));
    try (Spill spill = new Spill(context.cache().resolve("solutions"))) {
      Path curriculum = inputs.required(ArtifactKind.CURRICULUM).directory();
      together(
          List.of(
              () -> {
                try (Stream<Cluster> rows = Tables.CLUSTERS.readFrom(clusters.directory())) {
                  rows.forEach(spill::add);
                }
              },
              () -> {
                try (Stream<Solution.Columns> rows = Solution.EXAMPLES.readFrom(curriculum)) {
                  rows.forEach(example -> Solution.of(example, plan).ifPresent(spill::add));
                }
              }));
      spill.seal();
      int files = spill.count() < ONE_FILE ? 1 : FILES;
      List<Lane> lanes = new ArrayList<>();
      for (int lane = 0; lane < files; lane++) {
        lanes.add(new Lane(plan, spill, space, lane, files, context::stopRequested));
      }
      write(lanes, context.output());
      if (context.stopRequested()) {
        throw new TemporaryException("remember was asked to stop; run it again");
      }
      return result(plan, spill.count(), lanes);
    }
  }

  /** Lanes side by side, each into a file of its own. */
  private static void write(List<Lane> lanes, Path output) {
    if (lanes.size() == 1) {
      Tables.EPISODES.writeInto(output, lanes.get(0));
      return;
    }
    Path directory = output.resolve(Tables.EPISODES.name());
    List<Runnable> tasks = new ArrayList<>();
    for (Lane lane : lanes) {
      Path file = directory.resolve("part-" + tasks.size() + ".parquet");
      tasks.add(() -> Tables.EPISODES.write(file, lane));
    }
    together(tasks);
  }

  /** Runs tasks side by side, as many as there are processors; ends when all of them have. */
  private static void together(List<Runnable> tasks) {
    ExecutorService workers =
        Executors.newFixedThreadPool(
            Math.min(tasks.size(), Runtime.getRuntime().availableProcessors()));
    try {
      List<Future<?>> running = new ArrayList<>();
      tasks.forEach(task -> running.add(workers.submit(task)));
      for (Future<?> one : running) {
        one.get();
      }
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException problem) {
        throw problem;
      }
      throw new IllegalStateException(e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new TemporaryException("remember was interrupted; run it again", e);
    } finally {
      workers.shutdownNow();
    }
  }

  private static StageResult result(RememberPlan plan, long solutions, List<Lane> lanes) {
    long episodes = lanes.stream().mapToLong(Lane::episodes).sum();
    if (episodes == 0) {
      return new StageResult.Nothing(
          "none of " + solutions + " verified solutions belongs to a cluster of the latest mining");
    }
    RowDigest digest = Tables.EPISODES.rowDigest();
    lanes.forEach(lane -> digest.include(lane.digest()));
    return StageResult.Produced.of(
        digest.hex(),
        plan.seed(),
        Map.of(
            "solutions",
            solutions,
            "refused_injection",
            lanes.stream().mapToLong(Lane::refused).sum(),
            "clusters",
            lanes.stream().mapToLong(Lane::clusters).sum(),
            "episodes",
            episodes,
            "tokens",
            lanes.stream().mapToLong(Lane::tokens).sum()));
  }
}
