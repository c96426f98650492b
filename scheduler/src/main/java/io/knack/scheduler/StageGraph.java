package io.knack.scheduler;

import io.knack.contracts.plan.Default;
import io.knack.contracts.plan.Plans;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The stages of a night and what each needs, from {@code config/graph.yaml}; in an order in which
 * they can run.
 */
public record StageGraph(List<Node> stages) {

  /** When a stage with several needs may run. */
  public enum Join {
    /** All of them succeeded. */
    ALL,
    /** At least one succeeded and none failed. */
    ANY
  }

  /** What runs a stage. */
  public enum Engine {
    LOCAL,
    SPARK
  }

  /**
   * One stage.
   *
   * @param memory the kind of memory it makes; left out of a night that does not want that kind
   */
  public record Node(
      String name,
      List<String> needs,
      @Default("all") Join join,
      @Default("local") Engine engine,
      @Nullable String memory) {
    public Node {
      needs = List.copyOf(needs);
    }
  }

  public StageGraph {
    stages = List.copyOf(stages);
    Set<String> known = new HashSet<>();
    for (Node node : stages) {
      for (String need : node.needs()) {
        if (!known.contains(need)) {
          throw new IllegalArgumentException(
              "stages: "
                  + node.name()
                  + " needs "
                  + need
                  + ", which is not named before it; every need stands above what needs it");
        }
      }
      if (!known.add(node.name())) {
        throw new IllegalArgumentException("stages: " + node.name() + " is named twice");
      }
    }
  }

  public static StageGraph read(Path file) {
    return Plans.read(StageGraph.class, file, List.of());
  }

  /** Without the stages that make memories of a kind that is not wanted, and the needs of them. */
  public StageGraph making(Set<String> memories) {
    List<Node> kept = new ArrayList<>();
    Set<String> gone = new HashSet<>();
    for (Node node : stages) {
      if (node.memory() != null && !memories.contains(node.memory())) {
        gone.add(node.name());
      } else {
        List<String> needs = node.needs().stream().filter(need -> !gone.contains(need)).toList();
        kept.add(new Node(node.name(), needs, node.join(), node.engine(), node.memory()));
      }
    }
    return new StageGraph(kept);
  }
}
