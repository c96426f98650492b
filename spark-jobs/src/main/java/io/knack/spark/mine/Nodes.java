package io.knack.spark.mine;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.min;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.broadcast.Broadcast;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.storage.StorageLevel;

/**
 * The nodes of a pool of interactions: numbered in the order of tenant and key, so that the numbers
 * do not depend on partitions.
 *
 * @param tenants in order
 * @param starts first node of each tenant, and the number of nodes at the end
 * @param copies of each node
 */
@SuppressWarnings("ArrayRecordComponent") // never compared, never printed
record Nodes(JavaRDD<Node> rdd, List<String> tenants, int[] starts, int[] copies) {

  static Nodes of(Dataset<Row> seen) {
    JavaRDD<Node> rdd =
        seen.groupBy("tenant", "key")
            .agg(count(lit(1)).as("copies"), min("text").as("text"))
            .orderBy(col("tenant"), col("key"))
            .toJavaRDD()
            .zipWithIndex()
            .map(
                pair ->
                    new Node(
                        Math.toIntExact(pair._2()),
                        pair._1().getString(0),
                        pair._1().getString(1),
                        pair._1().getString(3),
                        (int) Math.min(Integer.MAX_VALUE, pair._1().getLong(2))))
            .persist(StorageLevel.MEMORY_AND_DISK());
    List<Heads> heads =
        rdd.mapPartitions(
                part -> {
                  Heads found = new Heads();
                  part.forEachRemaining(found::add);
                  return List.of(found).iterator();
                })
            .collect();
    List<String> tenants = new ArrayList<>();
    List<Integer> starts = new ArrayList<>();
    int[] copies = new int[heads.stream().mapToInt(h -> h.size).sum()];
    int next = 0;
    for (Heads part : heads) {
      System.arraycopy(part.copies, 0, copies, next, part.size);
      for (int t = 0; t < part.tenants.size(); t++) {
        String tenant = part.tenants.get(t);
        if (tenants.isEmpty() || !tenants.get(tenants.size() - 1).equals(tenant)) {
          tenants.add(tenant);
          starts.add(next + part.starts.get(t));
        }
      }
      next += part.size;
    }
    starts.add(next);
    return new Nodes(rdd, tenants, starts.stream().mapToInt(i -> i).toArray(), copies);
  }

  int size() {
    return copies.length;
  }

  /** The nodes with these numbers, ascending; one job. */
  List<Node> some(int[] wanted) {
    if (wanted.length == 0) {
      return List.of();
    }
    try (Chosen chosen = new Chosen(rdd.context().broadcast(wanted, tag()))) {
      Broadcast<int[]> numbers = chosen.numbers();
      return rdd.filter(node -> Arrays.binarySearch(numbers.value(), node.index()) >= 0).collect();
    }
  }

  /** At most {@code limit} nodes, evenly spread over the keys, which are random. */
  int[] spread(int limit) {
    int n = Math.min(limit, size());
    int[] chosen = new int[n];
    for (int i = 0; i < n; i++) {
      chosen[i] = (int) ((long) i * size() / n);
    }
    return chosen;
  }

  private static scala.reflect.ClassTag<int[]> tag() {
    return scala.reflect.ClassTag$.MODULE$.apply(int[].class);
  }

  private record Chosen(Broadcast<int[]> numbers) implements AutoCloseable {
    @Override
    public void close() {
      numbers.destroy();
    }
  }

  /** What the driver must know of a partition's nodes. */
  private static final class Heads implements java.io.Serializable {
    @java.io.Serial private static final long serialVersionUID = 1L;
    private final ArrayList<String> tenants = new ArrayList<>();
    private final ArrayList<Integer> starts = new ArrayList<>();
    private int[] copies = new int[64];
    private int size;

    void add(Node node) {
      if (tenants.isEmpty() || !tenants.get(tenants.size() - 1).equals(node.tenant())) {
        tenants.add(node.tenant());
        starts.add(size);
      }
      if (size == copies.length) {
        copies = Arrays.copyOf(copies, 2 * size);
      }
      copies[size++] = node.copies();
    }
  }
}
