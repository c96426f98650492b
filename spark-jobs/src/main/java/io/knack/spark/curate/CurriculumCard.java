package io.knack.spark.curate;

import java.util.Locale;

/** The curriculum's card, for people. */
final class CurriculumCard {
  private CurriculumCard() {}

  static String of(Curriculum curriculum, CuratePlan plan) {
    StringBuilder card = new StringBuilder("# Curriculum\n\n");
    card.append("| step | in | out | what was left behind |\n|---|---:|---:|---|\n");
    for (Curriculum.Step step : curriculum.steps()) {
      card.append(
          String.format(
              Locale.ROOT,
              "| %s | %d | %d | %s |%n",
              step.name(),
              step.in(),
              step.out(),
              step.why()));
    }
    card.append("\n| what | count |\n|---|---:|\n");
    curriculum
        .figures()
        .forEach(
            (name, value) ->
                card.append("| ").append(name).append(" | ").append(value).append(" |\n"));
    card.append("\nClusters, within ").append(plan.deviceMinutes()).append(" device minutes:\n\n");
    card.append("| cluster | part | train | validation | holdout | value | minutes | why |\n");
    card.append("|---|---|---:|---:|---:|---:|---:|---|\n");
    for (Curriculum.Choice choice : curriculum.clusters()) {
      card.append(
          String.format(
              Locale.ROOT,
              "| %s | %s | %d | %d | %d | %.3f | %.3f | %s |%n",
              choice.clusterId(),
              choice.part().name().toLowerCase(Locale.ROOT),
              choice.train(),
              choice.validation(),
              choice.holdout(),
              choice.value(),
              choice.minutes(),
              choice.reason()));
    }
    return card.toString();
  }
}
