package io.knack.spark.curate;

import io.knack.contracts.Evidence;
import io.knack.contracts.Example;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What curating hands on.
 *
 * @param examples sorted by id
 * @param evidence of the training examples, sorted by id
 * @param steps counts in and out, in order
 * @param clusters what became of each cluster that was looked at
 */
public record Curriculum(
    List<Example> examples,
    List<Evidence> evidence,
    List<Step> steps,
    List<Choice> clusters,
    Map<String, Object> figures) {

  /** The same with more figures. */
  Curriculum with(Map<String, Object> more) {
    Map<String, Object> all = new LinkedHashMap<>(figures);
    all.putAll(more);
    return new Curriculum(examples, evidence, steps, clusters, all);
  }

  /** One step's counts. */
  public record Step(String name, long in, long out, String why) {}

  /**
   * A cluster, and what tonight does with it.
   *
   * @param minutes estimated on the device
   * @param reason for people
   */
  public record Choice(
      String clusterId,
      Part part,
      long train,
      long validation,
      long holdout,
      double value,
      double minutes,
      String reason) {
    /** Whether tonight learns it. */
    public boolean learnt() {
      return part == Part.LEARN;
    }
  }

  /** What tonight does with a cluster. */
  public enum Part {
    /** Its early problems are learnt, its later ones judge what was learnt. */
    LEARN,
    /**
     * Nothing of it can be learnt, but an earlier night learnt it: its later problems judge what
     * may be live. Without them a memory of a rule that has changed would go on failing, unseen,
     * since nobody solves its problems any more.
     */
    JUDGE,
    /** It has too little of something, or the budget is spent. */
    LEAVE
  }
}
