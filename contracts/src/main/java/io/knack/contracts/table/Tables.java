package io.knack.contracts.table;

import io.knack.contracts.Cluster;
import io.knack.contracts.ClusterMember;
import io.knack.contracts.Episode;
import io.knack.contracts.Evidence;
import io.knack.contracts.Example;
import io.knack.contracts.Interaction;
import io.knack.contracts.Quarantined;
import io.knack.contracts.Trial;
import io.knack.contracts.stage.ContractException;
import io.knack.contracts.stage.KnackException;
import io.knack.contracts.stage.TemporaryException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Every tabular contract. Inside an artifact a table is the directory or file of its name. */
public final class Tables {
  public static final Table<Interaction> INTERACTIONS =
      new Table<>("interactions", Interaction.class);
  public static final Table<Quarantined> QUARANTINE = new Table<>("quarantine", Quarantined.class);
  public static final Table<Cluster> CLUSTERS = new Table<>("clusters", Cluster.class);
  public static final Table<ClusterMember> MEMBERS = new Table<>("members", ClusterMember.class);
  public static final Table<Example> EXAMPLES = new Table<>("examples", Example.class);
  public static final Table<Evidence> EVIDENCE = new Table<>("evidence", Evidence.class);
  public static final Table<Episode> EPISODES = new Table<>("episodes", Episode.class);
  public static final Table<Trial> TRIALS = new Table<>("trials", Trial.class);

  /** All of them. */
  public static final List<Table<?>> ALL =
      List.of(INTERACTIONS, QUARANTINE, CLUSTERS, MEMBERS, EXAMPLES, EVIDENCE, EPISODES, TRIALS);

  private Tables() {}

  /** A table that is no contract: what a stage keeps for itself between nights. */
  public static <T extends Record> Table<T> own(String name, Class<T> type) {
    return new Table<>(name, type);
  }

  /**
   * The rows of any Parquet file, contract or not, as maps, lists and plain values, read as they
   * are asked for. To be closed.
   *
   * @throws ContractException when it is no Parquet file, now or in the midst of it
   */
  public static Stream<Map<String, @Nullable Object>> rowsOf(Path file) {
    return AnyRows.of(file);
  }

  /** Whether a file's end says what is in it, as that of every whole Parquet file does. */
  public static boolean isWhole(Path parquet) {
    try {
      return ParquetCodec.blocks(parquet) >= 0;
    } catch (IOException | RuntimeException e) {
      return false;
    }
  }

  /**
   * Copies a Parquet file, contract or not, without what the edit takes away; writes nothing when
   * it takes nothing.
   *
   * @throws ContractException when it is no Parquet file
   */
  public static RowEdit.Count rewrite(Path from, Path to, RowEdit edit) {
    try {
      return ParquetRewrite.rewrite(from, to, edit);
    } catch (IOException e) {
      throw new TemporaryException("cannot rewrite " + from + ": " + e.getMessage(), e);
    } catch (KnackException e) {
      throw e;
    } catch (RuntimeException e) {
      throw new ContractException(from + " is not a readable Parquet file: " + e.getMessage(), e);
    }
  }
}
