package io.knack.practice.route;

import io.knack.contracts.Manifest;
import io.knack.contracts.Manifest.EpisodeText;
import io.knack.contracts.Message;
import io.knack.contracts.Problems;
import io.knack.contracts.SparseVector;
import io.knack.contracts.id.ClusterId;
import io.knack.contracts.id.TenantId;
import io.knack.contracts.stage.ContractException;
import io.knack.practice.features.FeatureSpace;
import io.knack.practice.prompt.PromptForm;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Decides which memory of a manifest a problem gets. Safe for use by many threads.
 *
 * <p>The nearest centroid among the entries that the tenant may use decides: its memory fires when
 * the similarity reaches the entry's floor and exceeds that of the nearest other cluster by the
 * entry's margin. A tenant's own entry goes before a shared one of the same cluster. Centroids are
 * compared through an inverted index, so that a route costs the problem's own features, not the
 * number of clusters.
 */
public final class Router {
  /** The arm that is applied when nothing fires. */
  public static final String BASELINE = "baseline";

  /** Episodes in a prompt at most: beyond about three the paper saw no more gain. */
  public static final int MAX_EPISODES = 3;

  private final Manifest manifest;
  private final FeatureSpace space;
  private final MemoryPrompt memory;
  private final CentroidIndex index;

  /**
   * @throws ContractException when the manifest's vectors live in another space
   */
  public Router(Manifest manifest, FeatureSpace space, PromptForm form) {
    if (!manifest.entries().isEmpty() && !manifest.featureSpaceDigest().equals(space.digest())) {
      throw new ContractException(
          "manifest "
              + manifest.number()
              + " was made in feature space "
              + manifest.featureSpaceDigest()
              + ", the one at hand is "
              + space.digest()
              + "; use the feature space file that the manifest names");
    }
    this.manifest = manifest;
    this.space = space;
    this.memory = new MemoryPrompt(form);
    this.index =
        new CentroidIndex(
            manifest.entries().stream().map(entry -> entry.trigger().centroid()).toList());
  }

  public Manifest manifest() {
    return manifest;
  }

  /** Where a request goes; its messages are those of the client, without memory. */
  public Route route(List<Message> request, TenantId tenant) {
    long started = System.nanoTime();
    SparseVector vector = space.vector(Problems.of(request));
    double[] similarity = index.similarities(vector);
    Map<ClusterId, Integer> visible = visible(tenant, similarity);
    int best = -1;
    int second = -1;
    for (int at : visible.values()) {
      if (best < 0 || similarity[at] > similarity[best]) {
        second = best;
        best = at;
      } else if (second < 0 || similarity[at] > similarity[second]) {
        second = at;
      }
    }
    if (best < 0 || similarity[best] <= 0) {
      return new Route(
          null,
          BASELINE,
          null,
          memory.messages(request, List.of(), List.of()),
          0,
          0,
          false,
          micros(started));
    }
    Manifest.Entry entry = manifest.entries().get(best);
    double runnerUp = second < 0 ? 0 : similarity[second];
    Manifest.Trigger trigger = entry.trigger();
    boolean fired =
        similarity[best] >= trigger.floor() && similarity[best] - runnerUp >= trigger.margin();
    List<Message> messages =
        fired
            ? memory.messages(request, entry.rules(), nearest(vector, entry.episodes()))
            : memory.messages(request, List.of(), List.of());
    return new Route(
        entry.clusterId(),
        fired ? entry.memory() : BASELINE,
        fired ? entry.adapter() : null,
        messages,
        similarity[best],
        runnerUp,
        fired,
        micros(started));
  }

  /** Entries with some similarity that the tenant may use, by cluster. */
  private Map<ClusterId, Integer> visible(TenantId tenant, double[] similarity) {
    Map<ClusterId, Integer> visible = new LinkedHashMap<>();
    for (int i = 0; i < similarity.length; i++) {
      if (similarity[i] <= 0) {
        continue;
      }
      @Nullable TenantId owner = manifest.entries().get(i).tenant();
      if (owner == null) {
        visible.putIfAbsent(manifest.entries().get(i).clusterId(), i);
      } else if (owner.equals(tenant)) {
        visible.put(manifest.entries().get(i).clusterId(), i);
      }
    }
    return visible;
  }

  private List<EpisodeText> nearest(SparseVector vector, List<EpisodeText> episodes) {
    if (episodes.size() <= 1) {
      return episodes;
    }
    return nearest(vector, episodes, space, MAX_EPISODES);
  }

  /** The episodes nearest to a problem, the nearest last: next to the problem in the prompt. */
  public static List<EpisodeText> nearest(
      SparseVector vector, List<EpisodeText> episodes, FeatureSpace space, int most) {
    record Near(EpisodeText episode, double similarity) {}
    List<Near> near = new ArrayList<>();
    for (EpisodeText episode : episodes) {
      near.add(new Near(episode, space.similarity(vector, episode.vector())));
    }
    near.sort(
        Comparator.comparingDouble(Near::similarity)
            .reversed()
            .thenComparing(n -> n.episode().id().value()));
    List<EpisodeText> chosen = new ArrayList<>();
    for (int i = Math.min(most, near.size()) - 1; i >= 0; i--) {
      chosen.add(near.get(i).episode());
    }
    return chosen;
  }

  private static long micros(long started) {
    return (System.nanoTime() - started) / 1000;
  }
}
