package io.knack.evaluator.study;

import com.fasterxml.jackson.annotation.JsonProperty;
import io.knack.contracts.Example;
import io.knack.contracts.Interval;
import io.knack.contracts.Message;
import io.knack.contracts.PriceBook;
import io.knack.contracts.cli.Console;
import io.knack.evaluator.measure.Asker;
import io.knack.evaluator.measure.Question;
import io.knack.evaluator.statistics.ConfidenceBounds;
import io.knack.llm.LanguageModel;
import io.knack.practice.route.MemoryPrompt;
import io.knack.practice.route.Route;
import io.knack.practice.route.Router;
import io.knack.practice.solve.SolverOptions;
import io.knack.practice.solve.Solvers;
import io.knack.practice.verify.Verifiers;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import org.hipparchus.distribution.continuous.BetaDistribution;
import org.hipparchus.distribution.continuous.TDistribution;
import org.jspecify.annotations.Nullable;

/**
 * What each memory saves with each method at each similarity level: the same problems with the same
 * seeds on both sides, in the paper's unit and all-in.
 *
 * <p>All arms and levels of one method share one batch. Source of the design: Pan and Zhao, "Can
 * Past Experience Accelerate LLM Reasoning?" (arXiv 2505.20643, 2025).
 */
public final class Study {
  /** The trap: the looks of a known problem, other knowledge. Not one of the 80 settings. */
  public static final String TRAP = "S5";

  private static final double NORMAL_95 = 1.96;
  private static final double FASTER = 0.9;

  private final LanguageModel model;
  private final Verifiers verifiers;
  private final SolverOptions options;
  private final PriceBook prices;
  private final long seed;

  public Study(
      LanguageModel model,
      Verifiers verifiers,
      SolverOptions options,
      PriceBook prices,
      long seed) {
    this.model = model;
    this.verifiers = verifiers;
    this.options = options;
    this.prices = prices;
    this.seed = seed;
  }

  /** How one memory asks a problem. */
  public interface Arm {
    /** {@code adapter}, {@code episodes}, {@code reflect}, {@code multi_case} or {@code update}. */
    String memory();

    Asked ask(Example problem);
  }

  /**
   * A problem with its memory.
   *
   * @param fired false where the trigger let it fall through
   */
  public record Asked(
      List<Message> messages, @Nullable String adapter, boolean fired, long retrievalMicros) {}

  /**
   * One cell of the grid.
   *
   * @param relativeCost in the method's unit, baseline 1, with its 95% interval for a fixed number
   *     of problems
   * @param relativeAllIn by the price book
   * @param accuracy of the memory's side
   */
  public record Setting(
      String method,
      String memory,
      String similarity,
      double relativeCost,
      double relativeCostLow,
      double relativeCostHigh,
      double relativeAllIn,
      double accuracy,
      double accuracyChange,
      double fireRate,
      long problems) {}

  /**
   * How often triggers fire at a level.
   *
   * @param low of the rate, one-sided 95% (Clopper and Pearson, 1934)
   * @param high likewise
   */
  public record Firing(String similarity, long problems, long fired, double low, double high) {
    static Firing of(String similarity, long problems, long fired) {
      return new Firing(
          similarity,
          problems,
          fired,
          fired == 0
              ? 0
              : new BetaDistribution(fired, problems - fired + 1.0)
                  .inverseCumulativeProbability(0.05),
          fired == problems
              ? 1
              : new BetaDistribution(fired + 1.0, problems - fired)
                  .inverseCumulativeProbability(0.95));
    }
  }

  /**
   * The study's result; the count and the correlation are over S1 to S4.
   *
   * @param withoutTriggers S5 once more, the nearest memory applied to every problem
   * @param trapAllIn all-in cost of S5 relative to the baseline, pooled over methods and memories,
   *     with triggers and retrieval; null without S5
   * @param trapAllInWithoutTriggers likewise, without triggers
   * @param firing of the triggers, where texts to route were given
   * @param pearsonR between relative cost and accuracy; null below three settings
   */
  public record Result(
      List<Setting> settings,
      List<Setting> withoutTriggers,
      @Nullable Double trapAllIn,
      @Nullable Double trapAllInWithoutTriggers,
      List<Firing> firing,
      @JsonProperty("faster_by_10_percent") long fasterBy10Percent,
      @Nullable Double pearsonR,
      @Nullable Double pearsonP) {
    public Result {
      settings = List.copyOf(settings);
      withoutTriggers = List.copyOf(withoutTriggers);
      firing = List.copyOf(firing);
    }
  }

  /** All-in costs of both sides, summed. */
  private static final class Pool {
    private double before;
    private double after;

    void add(Compared compared) {
      before += compared.before();
      after += compared.after();
    }

    @Nullable Double relative() {
      return before <= 0 ? null : after / before;
    }
  }

  /** A router's memory, applied as it says. */
  public static Arm routed(String memory, Router router, long retrievalMicros) {
    return new Arm() {
      @Override
      public String memory() {
        return memory;
      }

      @Override
      public Asked ask(Example problem) {
        Route route = router.route(problem.messages(), problem.tenant());
        return new Asked(
            route.messages(),
            route.adapter() == null ? null : route.adapter().name(),
            route.fired(),
            retrievalMicros);
      }
    };
  }

  /** How often a router fires at each level: texts suffice. */
  public static List<Firing> firing(Router router, SortedMap<String, List<Example>> levels) {
    List<Firing> firing = new ArrayList<>();
    levels.forEach(
        (level, problems) -> {
          long fired =
              problems.stream()
                  .filter(problem -> router.route(problem.messages(), problem.tenant()).fired())
                  .count();
          firing.add(Firing.of(level, problems.size(), fired));
        });
    return firing;
  }

  /**
   * @param arms as they would be served
   * @param forced the same memories without triggers, for the traps alone; empty to leave that out
   * @param levels problems by level, {@code S1} to {@code S5}
   * @param firing how often triggers fire, already counted
   */
  public Result run(
      List<String> methods,
      List<? extends Arm> arms,
      List<? extends Arm> forced,
      SortedMap<String, List<Example>> levels,
      List<Firing> firing,
      Console console) {
    List<Setting> settings = new ArrayList<>();
    List<Setting> without = new ArrayList<>();
    Pool traps = new Pool();
    Pool harm = new Pool();
    List<Example> trapProblems = levels.getOrDefault(TRAP, List.of());
    long cells = arms.size() * levels.values().stream().filter(l -> !l.isEmpty()).count();
    long total =
        methods.size()
            * ((arms.size() + 1L) * levels.values().stream().mapToLong(List::size).sum()
                + (long) forced.size() * trapProblems.size());
    try (Console.Progress progress = console.progress("study", total)) {
      for (String method : methods) {
        progress.note(method);
        Batch batch = new Batch(method);
        levels.forEach((level, problems) -> batch.add(level, problems, arms));
        batch.add(TRAP, trapProblems, forced);
        for (Compared compared : batch.solve(progress)) {
          boolean trap = compared.setting().similarity().equals(TRAP);
          boolean triggered = compared.at() < cells;
          (triggered ? settings : without).add(compared.setting());
          if (trap) {
            (triggered ? traps : harm).add(compared);
          }
        }
      }
    }
    List<Setting> grid = settings.stream().filter(s -> !s.similarity().equals(TRAP)).toList();
    Double r = correlation(grid);
    return new Result(
        settings,
        without,
        traps.relative(),
        harm.relative(),
        firing,
        grid.stream().filter(s -> s.relativeCost() <= FASTER).count(),
        r,
        r == null ? null : probability(r, grid.size()));
  }

  /** One cell with the sums behind it; {@code at} counts the cells of a method. */
  private record Compared(int at, Setting setting, double before, double after) {}

  /** Everything that one method is asked: the model's batch stays full until the last problem. */
  private final class Batch {
    private final String method;
    private final MemoryPrompt plain = new MemoryPrompt(options.form());
    private final List<Question> questions = new ArrayList<>();
    private final List<Cell> cells = new ArrayList<>();

    /** Where the answers of both sides lie. */
    private record Cell(String memory, String level, int baseline, int candidate, int count) {}

    Batch(String method) {
      this.method = method;
    }

    /** Every arm beside the baseline on some problems. */
    void add(String level, List<Example> problems, List<? extends Arm> arms) {
      if (problems.isEmpty() || arms.isEmpty()) {
        return;
      }
      int baseline = questions.size();
      for (Example problem : problems) {
        questions.add(
            new Question(
                problem,
                "baseline",
                plain.messages(problem.messages(), List.of(), List.of()),
                null,
                false,
                level,
                0));
      }
      for (Arm arm : arms) {
        cells.add(new Cell(arm.memory(), level, baseline, questions.size(), problems.size()));
        for (Example problem : problems) {
          Asked asked = arm.ask(problem);
          questions.add(
              new Question(
                  problem,
                  arm.memory(),
                  asked.messages(),
                  asked.adapter(),
                  asked.fired(),
                  level,
                  asked.retrievalMicros()));
        }
      }
    }

    /** The cells in the order in which they were added. */
    List<Compared> solve(Console.Progress progress) {
      List<Asker.Answered> answers =
          new Asker(model, Solvers.named(method), options, verifiers, seed)
              .ask(questions, progress);
      List<Compared> compared = new ArrayList<>();
      for (Cell cell : cells) {
        List<Asker.Answered> before =
            answers.subList(cell.baseline(), cell.baseline() + cell.count());
        List<Asker.Answered> after =
            answers.subList(cell.candidate(), cell.candidate() + cell.count());
        compared.add(
            new Compared(
                compared.size(),
                setting(method, cell.memory(), cell.level(), before, after),
                cost(before),
                cost(after)));
      }
      return compared;
    }
  }

  private double cost(List<Asker.Answered> answers) {
    return answers.stream().mapToDouble(a -> prices.cost(a.trial().budget())).sum();
  }

  private Setting setting(
      String method,
      String memory,
      String level,
      List<Asker.Answered> baseline,
      List<Asker.Answered> candidate) {
    Interval units =
        ConfidenceBounds.fixedSaving(
            baseline.stream().mapToDouble(a -> a.trial().budget().units()).toArray(),
            candidate.stream().mapToDouble(a -> a.trial().budget().units()).toArray(),
            NORMAL_95);
    double before = cost(baseline);
    double after = cost(candidate);
    double accuracy = passed(candidate);
    return new Setting(
        method,
        memory,
        level,
        1 - units.estimate(),
        1 - units.high(),
        1 - units.low(),
        before <= 0 ? 1 : after / before,
        accuracy,
        accuracy - passed(baseline),
        (double) candidate.stream().filter(a -> a.trial().fired()).count() / candidate.size(),
        candidate.size());
  }

  private static double passed(List<Asker.Answered> answers) {
    return (double) answers.stream().filter(a -> a.trial().passed()).count() / answers.size();
  }

  private static @Nullable Double correlation(List<Setting> settings) {
    int n = settings.size();
    double x = settings.stream().mapToDouble(Setting::relativeCost).average().orElse(0);
    double y = settings.stream().mapToDouble(Setting::accuracy).average().orElse(0);
    double xx = 0;
    double yy = 0;
    double xy = 0;
    for (Setting s : settings) {
      xx += (s.relativeCost() - x) * (s.relativeCost() - x);
      yy += (s.accuracy() - y) * (s.accuracy() - y);
      xy += (s.relativeCost() - x) * (s.accuracy() - y);
    }
    return n < 3 || xx <= 0 || yy <= 0 ? null : xy / Math.sqrt(xx * yy);
  }

  /** Two-sided, by Student's t with n - 2 degrees of freedom. */
  static double probability(double r, int n) {
    double t = Math.abs(r) * Math.sqrt((n - 2) / Math.max(1e-300, 1 - r * r));
    return 2 * new TDistribution(n - 2).cumulativeProbability(-t);
  }
}
