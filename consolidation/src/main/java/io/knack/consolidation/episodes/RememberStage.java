package io.knack.consolidation.episodes;

import io.knack.contracts.Cluster;
import io.knack.contracts.Episode;
import io.knack.contracts.Example;
import io.knack.contracts.SparseVector;
import io.knack.contracts.id.ClusterId;
import io.knack.contracts.id.EpisodeId;
import io.knack.contracts.stage.Stage;
import io.knack.contracts.stage.StageContext;
import io.knack.contracts.stage.StageInput;
import io.knack.contracts.stage.StageInput.Need;
import io.knack.contracts.stage.StageInputs;
import io.knack.contracts.stage.StageResult;
import io.knack.contracts.store.Artifact;
import io.knack.contracts.store.ArtifactKind;
import io.knack.contracts.store.Digests;
import io.knack.contracts.table.Tables;
import io.knack.practice.features.FeatureSpace;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;

/** {@code remember}: verified solutions to episodes, the few that serve a prompt best. */
public final class RememberStage implements Stage<RememberPlan> {
  /** Where mining leaves the space that its centroids live in. */
  static final String SPACE = "feature_space.bin";

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
    FeatureSpace space = FeatureSpace.load(clusters.file(SPACE));
    Map<ClusterId, SparseVector> centroids = new HashMap<>();
    try (Stream<Cluster> rows = Tables.CLUSTERS.readFrom(clusters.directory())) {
      rows.forEach(cluster -> centroids.put(cluster.clusterId(), cluster.centroid()));
    }
    Candidates candidates = new Candidates(plan);
    try (Stream<Example> rows =
        Tables.EXAMPLES.readFrom(inputs.required(ArtifactKind.CURRICULUM).directory())) {
      rows.forEach(candidates::take);
    }
    List<Episode> episodes = select(plan, candidates, centroids, space);
    if (episodes.isEmpty()) {
      return new StageResult.Nothing(
          "none of "
              + candidates.seen()
              + " verified solutions belongs to a cluster of the latest mining");
    }
    Tables.EPISODES.writeInto(context.output(), episodes);
    return StageResult.Produced.of(
        Tables.EPISODES.contentDigest(episodes),
        plan.seed(),
        Map.of(
            "solutions", candidates.seen(),
            "refused_injection", candidates.refused(),
            "clusters", (long) candidates.pools().size(),
            "episodes", (long) episodes.size(),
            "tokens", episodes.stream().mapToLong(Episode::tokens).sum()));
  }

  static List<Episode> select(
      RememberPlan plan,
      Candidates candidates,
      Map<ClusterId, SparseVector> centroids,
      FeatureSpace space) {
    Selection selection = new Selection(plan, space);
    List<Episode> episodes = new ArrayList<>();
    for (Candidates.Pool pool : candidates.pools()) {
      SparseVector centroid = centroids.get(pool.cluster());
      if (centroid == null) {
        continue;
      }
      List<Episode> offered = new ArrayList<>();
      for (Example example : pool.shortestFirst()) {
        offered.add(episode(example, pool, space));
      }
      episodes.addAll(selection.choose(offered, centroid));
    }
    return episodes;
  }

  private static Episode episode(Example example, Candidates.Pool pool, FeatureSpace space) {
    String problem = example.problem();
    String solution = Objects.requireNonNull(example.completion());
    String id = Digests.sha256(pool.cluster() + "\n" + pool.tenant() + "\n" + example.id());
    return new Episode(
        new EpisodeId("episode-" + id.substring(0, 16)),
        example.id(),
        example.subject(),
        pool.tenant(),
        pool.cluster(),
        problem,
        solution,
        tokens(problem) + tokens(solution),
        space.vector(problem),
        space.digest());
  }

  /** An estimate that needs no tokenizer: four bytes a token, at least one a word. */
  private static long tokens(String text) {
    long words = text.isBlank() ? 0 : text.strip().split("\\s+", -1).length;
    return Math.max(words, (text.getBytes(java.nio.charset.StandardCharsets.UTF_8).length + 3) / 4);
  }
}
