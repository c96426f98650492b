package io.knack.sandbox.study;

import io.knack.contracts.Example;
import io.knack.contracts.PriceBook;
import io.knack.contracts.VerifierSpec;
import io.knack.contracts.cli.Console;
import io.knack.contracts.cli.HomeOptions;
import io.knack.contracts.cli.Terminal;
import io.knack.contracts.plan.Plans;
import io.knack.contracts.stage.ExitCode;
import io.knack.contracts.stage.PlanException;
import io.knack.contracts.stage.StageInputs;
import io.knack.contracts.store.DurableFiles;
import io.knack.contracts.store.Jsons;
import io.knack.evaluator.measure.ArmRouters;
import io.knack.evaluator.measure.EvaluatePlan;
import io.knack.evaluator.study.Study;
import io.knack.evaluator.study.StudyPage;
import io.knack.llm.local.LocalModel;
import io.knack.llm.local.LocalOptions;
import io.knack.practice.features.Encoders;
import io.knack.practice.prompt.PromptForm;
import io.knack.practice.solve.SolverOptions;
import io.knack.practice.solve.Solvers;
import io.knack.practice.verify.Verifiers;
import io.knack.sandbox.ServeCommand;
import io.knack.sandbox.base.BaseModel;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code study}: methods x memories x similarity levels. */
@Command(
    name = "study",
    mixinStandardHelpOptions = true,
    description = {
      "What each memory saves with each method, by how like the problem is to what was learnt: the",
      "grid of 4 methods, 5 memories and the levels S1 to S4, and the traps S5 with and without",
      "triggers. On the sandbox, or on a problem set of your own (--problems FILE --model DIR):",
      "JSON lines with level (learn, anchor, S1 to S5), prompt, reference, cluster where learnt."
    },
    footer = {"", "Example: ./knack study --quick --home study-home"})
public final class StudyCommand implements Callable<Integer> {
  /** Arms of the grid, in the order of the paper. */
  private static final List<String> MEMORIES =
      List.of("adapter", "episodes", "reflect", "multi_case", "update");

  private static final ShopProblems.Size FULL = new ShopProblems.Size(10, 18, 12, 120, 1_200);
  private static final ShopProblems.Size QUICK = new ShopProblems.Size(5, 12, 6, 15, 1_200);

  @Spec @Nullable CommandSpec spec;

  @Mixin HomeOptions home = new HomeOptions();

  @Option(names = "--quick", description = "15 problems a level instead of 120")
  boolean quick;

  @Option(names = "--seed", defaultValue = "1", description = "of world and sampling (default: 1)")
  long seed = 1;

  @Option(names = "--model", paramLabel = "DIR", description = "checkpoint (default: shipped)")
  @Nullable Path model;

  @Option(names = "--problems", paramLabel = "FILE", description = "a problem set with levels")
  @Nullable Path problems;

  @Option(
      names = "--method",
      paramLabel = "NAME",
      description = "only this method; may be repeated (default: all four)")
  List<String> methods = new ArrayList<>();

  @Option(
      names = "--train",
      paramLabel = "PATH=VALUE",
      description = "a setting of the train plan; may be repeated")
  List<String> train = new ArrayList<>();

  @Override
  public Integer call() throws IOException {
    List<String> chosen = methods.isEmpty() ? Solvers.names() : methods;
    chosen.forEach(Solvers::named);
    if (problems != null && model == null) {
      throw new PlanException("--problems needs --model DIR: the model that the study is about");
    }
    Path checkpoint =
        (model == null ? ServeCommand.shippedModel() : model).toAbsolutePath().normalize();
    Path workspace =
        home.home.toAbsolutePath().normalize().resolve("study").resolve(quick ? "quick" : "full");
    if (Files.exists(workspace)) {
      DurableFiles.deleteTree(workspace);
    }
    PromptForm form = problems == null ? PromptForm.SHORT : PromptForm.INSTRUCT;
    SolverOptions options = problems == null ? BaseModel.SOLVER : SolverOptions.defaults(form);
    ShopProblems.Size size = quick ? QUICK : FULL;
    ProblemSet set =
        problems == null
            ? new ShopProblems(seed, shopVerifier()).draw(size)
            : ProblemSet.read(problems).atMost(size.perLevel());
    Console console = Terminal.standard();
    Study.Result result = run(set, checkpoint, workspace, options, chosen, console);
    Path page = workspace.resolve("study.html");
    String json = Jsons.mapper().writeValueAsString(result);
    DurableFiles.replace(workspace.resolve("study.json"), json + "\n");
    DurableFiles.replace(page, StudyPage.render(result));
    PrintWriter out = Objects.requireNonNull(spec).commandLine().getOut();
    if (home.json) {
      out.println(json);
    } else {
      out.print(StudyPage.text(result));
      out.println("page: " + page);
    }
    out.flush();
    return ExitCode.OK.code();
  }

  private Study.Result run(
      ProblemSet set,
      Path checkpoint,
      Path workspace,
      SolverOptions options,
      List<String> chosen,
      Console console)
      throws IOException {
    String name = problems == null ? BaseModel.NAME : checkpoint.getFileName().toString();
    Learning learning = new Learning(workspace, checkpoint, name, options, seed, console);
    LocalOptions batch = LocalOptions.defaults().withMaxBatch(256);
    try (LocalModel base = LocalModel.load(checkpoint, batch);
        Verifiers verifiers = new Verifiers(Path.of("").toAbsolutePath(), base)) {
      learning.solve(set, base, verifiers);
      StageInputs learnt = learning.learn(training());
      EvaluatePlan plan =
          Plans.read(
              EvaluatePlan.class,
              null,
              List.of(
                  "model=" + checkpoint,
                  "base_model_name=" + name,
                  "solver.form=" + options.form().name().toLowerCase(Locale.ROOT)));
      ArmRouters routers = ArmRouters.read(learnt, plan, Encoders.none());
      routers.adapterDirectories().forEach(base::loadAdapter);
      List<Study.Arm> arms = arms(routers, ArmRouters.Firing.TRIGGERED, plan);
      for (String memory : MEMORIES) {
        console.say(
            "study: "
                + memory
                + " has a memory for "
                + routers.clusters(memory)
                + " of "
                + set.known().stream()
                    .map(Example::clusterId)
                    .filter(Objects::nonNull)
                    .distinct()
                    .count());
      }
      return new Study(base, verifiers, options, PriceBook.DEFAULT, seed)
          .run(
              chosen,
              arms,
              arms(routers, ArmRouters.Firing.ALWAYS, plan),
              set.levels(),
              Study.firing(routers.triggers(), set.routed()),
              console);
    }
  }

  private static List<Study.Arm> arms(
      ArmRouters routers, ArmRouters.Firing firing, EvaluatePlan plan) {
    return MEMORIES.stream()
        .map(
            memory ->
                Study.routed(
                    memory, routers.router(memory, firing), plan.carrying().retrievalMicros()))
        .toList();
  }

  /** What suits a dozen short examples a policy; what the user sets comes after and wins. */
  private List<String> training() {
    List<String> settings = new ArrayList<>();
    if (problems == null) {
      settings.addAll(
          List.of("rank=8", "alpha=16", "learning_rate=3e-3", "steps=60", "warmup_steps=5"));
    }
    settings.addAll(train);
    return settings;
  }

  /** The shop's verifier, as a process of its own: the one that {@code sandbox verify} is. */
  private VerifierSpec shopVerifier() throws IOException {
    String launcher = System.getenv("KNACK_LAUNCHER");
    if (launcher == null) {
      throw new PlanException("start the study with ./knack study: its verifier is ./knack too");
    }
    List<String> command =
        List.of(
            launcher,
            "sandbox",
            "verify",
            "--seed",
            String.valueOf(seed),
            "--day",
            String.valueOf(ShopProblems.DAY));
    return new VerifierSpec(
        "command", Map.of("command", Jsons.mapper().writeValueAsString(command), "mode", "lines"));
  }
}
