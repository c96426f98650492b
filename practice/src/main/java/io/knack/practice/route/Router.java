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
import io.knack.practice.features.Words;
import io.knack.practice.prompt.PromptForm;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Decides which memory of a manifest a problem gets. Safe for use by many threads.
 *
 * <p>Of the entries that the tenant may use, those compete whose key words the problem says and
 * whose floor it reaches; an entry without key words competes only where none with key words does:
 * a name says more than likeness. The nearest centroid wins and fires if it leads the runner-up by
 * its margin. A tenant's own entry goes before a shared one of the same cluster. Centroids are
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
    String problem = Problems.of(request);
    SparseVector vector = space.vector(problem);
    double[] similarity = index.similarities(vector);
    Collection<Integer> visible = visible(tenant, similarity).values();
    Nearest rivals =
        nearest(rivals(visible, similarity, Set.copyOf(Words.of(problem))), similarity);
    Nearest told = rivals.best() >= 0 ? rivals : nearest(visible, similarity);
    if (told.best() < 0) {
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
    Manifest.Entry entry = manifest.entries().get(told.best());
    double runnerUp = told.second() < 0 ? 0 : similarity[told.second()];
    boolean fired =
        rivals.best() >= 0 && similarity[told.best()] - runnerUp >= entry.trigger().margin();
    List<Message> messages =
        fired
            ? memory.messages(request, entry.rules(), nearest(vector, entry.episodes()))
            : memory.messages(request, List.of(), List.of());
    return new Route(
        entry.clusterId(),
        fired ? entry.memory() : BASELINE,
        fired ? entry.adapter() : null,
        messages,
        similarity[told.best()],
        runnerUp,
        fired,
        micros(started));
  }

  /** Entries that could fire: with key words where there are any, else without. */
  private List<Integer> rivals(
      Collection<Integer> visible, double[] similarity, Set<String> words) {
    List<Integer> named = new ArrayList<>();
    List<Integer> alike = new ArrayList<>();
    for (int at : visible) {
      Manifest.Trigger trigger = manifest.entries().get(at).trigger();
      if (similarity[at] >= trigger.floor() && words.containsAll(trigger.keys())) {
        (trigger.keys().isEmpty() ? alike : named).add(at);
      }
    }
    return named.isEmpty() ? alike : named;
  }

  /** Positions of the two most similar entries; -1 where there is none. */
  private record Nearest(int best, int second) {}

  private static Nearest nearest(Collection<Integer> among, double[] similarity) {
    int best = -1;
    int second = -1;
    for (int at : among) {
      if (best < 0 || similarity[at] > similarity[best]) {
        second = best;
        best = at;
      } else if (second < 0 || similarity[at] > similarity[second]) {
        second = at;
      }
    }
    return new Nearest(best, second);
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
