package io.knack.contracts;

import com.fasterxml.jackson.annotation.JsonInclude;
import io.knack.contracts.id.ClusterId;
import io.knack.contracts.id.EpisodeId;
import io.knack.contracts.id.RuleId;
import io.knack.contracts.id.TenantId;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * What serving does with each recurring problem: {@code serving/manifests/vNNNNNN.json}. Never
 * changed but to erase a person (decision 0090).
 *
 * @param previous the number before it in force; null for the first
 * @param baseModel name that serving knows the base model by
 * @param featureSpaceDigest the space that every trigger's centroid lives in
 * @param featureSpace path of the feature space file, relative to the home's {@code serving}
 * @param encoder whose vectors the space compares; null where it needs no sentence encoder
 */
public record Manifest(
    long number,
    @Nullable Long previous,
    Instant createdAt,
    String reason,
    String baseModel,
    @Nullable String baseRevision,
    String featureSpaceDigest,
    @Nullable String featureSpace,
    List<Entry> entries,
    @JsonInclude(JsonInclude.Include.NON_NULL) @Nullable Encoder encoder) {
  public Manifest {
    entries = List.copyOf(entries);
  }

  /** What a manifest is called: {@code v} and at least six digits. */
  public static String name(long number) {
    return String.format(Locale.ROOT, "v%06d", number);
  }

  /** In a feature space without a sentence encoder. */
  public Manifest(
      long number,
      @Nullable Long previous,
      Instant createdAt,
      String reason,
      String baseModel,
      @Nullable String baseRevision,
      String featureSpaceDigest,
      @Nullable String featureSpace,
      List<Entry> entries) {
    this(
        number,
        previous,
        createdAt,
        reason,
        baseModel,
        baseRevision,
        featureSpaceDigest,
        featureSpace,
        entries,
        null);
  }

  /**
   * A sentence encoder.
   *
   * @param name for people: its directory's when the space was learnt
   * @param digest of weights, tokenizer and configuration: another one gives other vectors
   */
  public record Encoder(String name, String digest) {}

  /**
   * The memory of one cluster.
   *
   * @param tenant whose it is; null when tenants share
   * @param memory the chosen arm, as in {@link Trial#arm}
   * @param adapter null when the memory has no weights
   * @param rules in the order in which they enter the prompt
   * @param expectedSaving per month, net, in the currency of the price book
   */
  public record Entry(
      ClusterId clusterId,
      @Nullable TenantId tenant,
      String memory,
      @Nullable AdapterRef adapter,
      List<RuleText> rules,
      List<EpisodeText> episodes,
      Trigger trigger,
      double expectedSaving) {
    public Entry {
      rules = List.copyOf(rules);
      episodes = List.copyOf(episodes);
    }
  }

  /**
   * When a memory fires: the problem says every key word, its similarity to the centroid is at or
   * above the floor, and above the runner-up by the margin. Floor and margin are in [0, 1].
   *
   * @param keys words that name the cluster, as routing reads words (lower case, no punctuation);
   *     empty when likeness alone decides
   */
  public record Trigger(
      double floor,
      double margin,
      SparseVector centroid,
      @JsonInclude(JsonInclude.Include.NON_EMPTY) List<String> keys) {
    /**
     * @param keys null in manifests that were written before triggers had key words
     */
    public Trigger(
        double floor, double margin, SparseVector centroid, @Nullable List<String> keys) {
      this.floor = floor;
      this.margin = margin;
      this.centroid = centroid;
      this.keys = keys == null ? List.of() : List.copyOf(keys);
    }
  }

  /**
   * An adapter in the hand-over directory.
   *
   * @param name never reused
   * @param path relative to the home's {@code serving}
   */
  public record AdapterRef(String name, String path, String digest) {}

  /** A rule as it enters a prompt. */
  public record RuleText(RuleId id, String when, String then) {}

  /** An episode as it enters a prompt. */
  public record EpisodeText(EpisodeId id, String problem, String solution, SparseVector vector) {}
}
