package io.knack.spark.mine;

import io.knack.practice.features.TextSpace;
import io.knack.practice.features.TextVector;
import java.io.Serial;
import java.io.Serializable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.broadcast.Broadcast;
import scala.Tuple2;

/**
 * Approximate nearest neighbours of all nodes, tenants apart.
 *
 * <p>A tenant of at most {@link Cell#LIMIT} nodes is one cell, and its neighbours are exact. A
 * larger one gets a pivot for every {@link Cell#TARGET} nodes; each node goes to the cells of its
 * two nearest pivots, and neighbours are exact inside each cell. With n nodes that is n/800
 * comparisons to find the cells (cheap: dense block only, 0.1 ms at a million) and about 3,000
 * inside them, so that cost is near linear. Texts travel, vectors are computed where they are
 * needed: a text is a tenth of its vector.
 */
final class NeighbourSearch {
  private static final int CELLS_OF_A_NODE = 2;

  private NeighbourSearch() {}

  static NeighbourGraph run(JavaSparkContext spark, Nodes nodes, SpaceHandle space, int k) {
    int tenants = nodes.tenants().size();
    int[] firstCell = new int[tenants + 1];
    List<Integer> pivotNodes = new ArrayList<>();
    for (int t = 0; t < tenants; t++) {
      int size = nodes.starts()[t + 1] - nodes.starts()[t];
      int cells = size <= Cell.LIMIT ? 1 : (size + Cell.TARGET - 1) / Cell.TARGET;
      firstCell[t + 1] = firstCell[t] + cells;
      for (int c = 0; cells > 1 && c < cells; c++) {
        pivotNodes.add(nodes.starts()[t] + (int) ((long) c * size / cells));
      }
    }
    float[][] pivots = pivots(nodes, space, pivotNodes);
    Broadcast<Layout> layout = spark.broadcast(new Layout(nodes.starts(), firstCell, pivots));
    int cells = firstCell[tenants];
    int parts = Math.max(1, Math.min(cells, Math.max(4 * spark.defaultParallelism(), cells / 16)));
    List<Found> found =
        nodes
            .rdd()
            .flatMapToPair(
                node ->
                    layout.value().cells(node, space).stream()
                        .map(cell -> new Tuple2<>(cell, node))
                        .iterator())
            .groupByKey(parts)
            .map(cell -> search(cell._2(), space, k))
            .collect();
    NeighbourGraph graph = NeighbourGraph.empty(nodes.size(), k);
    for (Found part : found) {
      for (int e = 0; e < part.size; e++) {
        graph.offer(part.nodes[e], part.neighbours[e], part.similarities[e]);
      }
    }
    layout.destroy();
    return graph;
  }

  private static float[][] pivots(Nodes nodes, SpaceHandle space, List<Integer> numbers) {
    int[] sorted = numbers.stream().mapToInt(i -> i).sorted().toArray();
    List<Node> found = new ArrayList<>(nodes.some(sorted));
    found.sort(Comparator.comparingInt(Node::index));
    TextSpace features = space.space();
    return features.featuresOf(found.stream().map(Node::text).toList()).stream()
        .map(TextVector::dense)
        .toArray(float[][]::new);
  }

  private static Found search(Iterable<Node> cell, SpaceHandle handle, int k) {
    List<Node> members = new ArrayList<>();
    cell.forEach(members::add);
    members.sort(Comparator.comparingInt(Node::index));
    TextSpace space = handle.space();
    TextVector[] vectors =
        space.featuresOf(members.stream().map(Node::text).toList()).toArray(TextVector[]::new);
    int[] ids = members.stream().mapToInt(Node::index).toArray();
    Found found = new Found();
    Cell.neighbours(ids, vectors, k, found::add);
    return found;
  }

  /** Which cells a node goes to. */
  @SuppressWarnings("ArrayRecordComponent") // never compared, never printed
  private record Layout(int[] starts, int[] firstCell, float[][] pivots) implements Serializable {
    List<Integer> cells(Node node, SpaceHandle space) {
      int tenant = Arrays.binarySearch(starts, 0, starts.length, node.index());
      tenant = tenant < 0 ? -tenant - 2 : tenant;
      int cells = firstCell[tenant + 1] - firstCell[tenant];
      if (cells == 1) {
        return List.of(firstCell[tenant]);
      }
      int before = 0; // pivots of tenants before this one
      for (int t = 0; t < tenant; t++) {
        int others = firstCell[t + 1] - firstCell[t];
        before += others > 1 ? others : 0;
      }
      float[][] own = Arrays.copyOfRange(pivots, before, before + cells);
      List<Integer> chosen = new ArrayList<>();
      float[] dense = space.space().features(node.text()).dense();
      for (int cell : Cell.nearest(dense, own, CELLS_OF_A_NODE)) {
        if (cell >= 0) {
          chosen.add(firstCell[tenant] + cell);
        }
      }
      return chosen;
    }
  }

  /** Directed edges in arrays. */
  private static final class Found implements Serializable {
    @Serial private static final long serialVersionUID = 1L;
    private int[] nodes = new int[256];
    private int[] neighbours = new int[256];
    private float[] similarities = new float[256];
    private int size;

    void add(int node, int neighbour, float similarity) {
      if (size == nodes.length) {
        nodes = Arrays.copyOf(nodes, 2 * size);
        neighbours = Arrays.copyOf(neighbours, 2 * size);
        similarities = Arrays.copyOf(similarities, 2 * size);
      }
      nodes[size] = node;
      neighbours[size] = neighbour;
      similarities[size++] = similarity;
    }
  }
}
