package io.knack.spark.curate;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Which clusters tonight learns: the most value for a minute of the device first. What earlier
 * nights learnt is judged in any case, so that comes off the budget before all else.
 */
final class Choosing {
  private Choosing() {}

  private record Scored(Lesson lesson, double value, double minutes, @Nullable String flaw) {}

  /** A decision for every lesson, the best first; deterministic, and never by the clock. */
  static List<Curriculum.Choice> of(CuratePlan plan, List<Lesson> lessons) {
    List<Scored> scored = new ArrayList<>();
    for (Lesson lesson : lessons) {
      scored.add(new Scored(lesson, lesson.value(), lesson.minutes(plan), lesson.flaw(plan)));
    }
    scored.sort(
        Comparator.comparing((Scored s) -> s.flaw() != null)
            .thenComparing(s -> -s.value() / Math.max(1e-6, s.minutes()))
            .thenComparing(s -> s.lesson().id().value()));
    List<Curriculum.Choice> choices = new ArrayList<>();
    double left = plan.deviceMinutes();
    for (Scored s : scored) {
      if (s.flaw() != null && s.lesson().judges()) {
        left -= s.lesson().judgingMinutes(plan);
      }
    }
    for (Scored s : scored) {
      String reason = s.flaw();
      Curriculum.Part part = Curriculum.Part.LEAVE;
      if (reason == null && s.minutes() <= left) {
        left -= s.minutes();
        part = Curriculum.Part.LEARN;
        reason = "learnt tonight";
      } else {
        if (reason == null) {
          reason =
              String.format(
                  Locale.ROOT, "needs %.1f device minutes, %.1f are left", s.minutes(), left);
        }
        if (s.lesson().judges()) {
          part = Curriculum.Part.JUDGE;
          reason = "an earlier night learnt it, so it is judged; " + reason;
        }
      }
      choices.add(
          new Curriculum.Choice(
              s.lesson().id().value(),
              part,
              s.lesson().train().size(),
              s.lesson().validation().size(),
              s.lesson().holdout().size(),
              rounded(s.value()),
              rounded(s.minutes()),
              reason));
    }
    return choices;
  }

  static double rounded(double value) {
    return Math.round(value * 1000) / 1000.0;
  }
}
