package io.knack.consolidation.reflect;

import io.knack.contracts.Example;
import io.knack.contracts.SparseVector;
import io.knack.contracts.id.ClusterId;
import io.knack.practice.features.FeatureSpace;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;

/**
 * Problems of other clusters that a router would send to a lesson's cluster: they lie nearer to its
 * centroid than to their own. Those are the ones that its rules could harm.
 */
final class Strangers implements Function<Lesson, List<Example>> {
  /** Problems of other clusters looked at, per lesson. */
  private static final int LOOKED_AT = 2000;

  private final int most;
  private final FeatureSpace space;
  private final Map<ClusterId, SparseVector> centroids;
  private final List<Known> problems = new ArrayList<>();

  private record Known(Example example, SparseVector vector, double own) {}

  Strangers(
      ReflectPlan plan,
      List<Lesson> lessons,
      FeatureSpace space,
      Map<ClusterId, SparseVector> centroids) {
    this.most = plan.replaying().others();
    this.space = space;
    this.centroids = centroids;
    for (Lesson lesson : lessons) {
      SparseVector own = centroids.get(lesson.cluster());
      for (Example example :
          lesson.validation().subList(0, Math.min(3, lesson.validation().size()))) {
        if (problems.size() < LOOKED_AT && own != null) {
          SparseVector vector = space.vector(example.problem());
          problems.add(new Known(example, vector, space.similarity(vector, own)));
        }
      }
    }
  }

  @Override
  public List<Example> apply(Lesson lesson) {
    SparseVector centroid = centroids.get(lesson.cluster());
    if (centroid == null) {
      return List.of();
    }
    record Near(Example example, double lead) {}
    List<Near> near = new ArrayList<>();
    for (Known known : problems) {
      if (!Objects.equals(known.example().clusterId(), lesson.cluster())) {
        double lead = space.similarity(known.vector(), centroid) - known.own();
        if (lead > 0) {
          near.add(new Near(known.example(), lead));
        }
      }
    }
    near.sort(
        Comparator.comparingDouble(Near::lead)
            .reversed()
            .thenComparing(n -> n.example().id().value()));
    return near.stream().limit(most).map(Near::example).toList();
  }
}
