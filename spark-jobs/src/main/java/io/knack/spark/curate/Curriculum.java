package io.knack.spark.curate;

import io.knack.contracts.Evidence;
import io.knack.contracts.Example;
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

  /** One step's counts. */
  public record Step(String name, long in, long out, String why) {}

  /**
   * A cluster, and whether tonight learns it.
   *
   * @param minutes estimated on the device
   * @param reason for people
   */
  public record Choice(
      String clusterId,
      boolean chosen,
      long train,
      long validation,
      long holdout,
      double value,
      double minutes,
      String reason) {}
}
