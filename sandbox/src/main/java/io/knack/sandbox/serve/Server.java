package io.knack.sandbox.serve;

import io.knack.contracts.Manifest;
import io.knack.contracts.Message;
import io.knack.contracts.id.TenantId;
import io.knack.llm.LanguageModel;
import io.knack.practice.prompt.PromptForm;
import io.knack.practice.prompt.Prompts;
import io.knack.practice.route.Route;
import io.knack.practice.route.Router;
import io.knack.practice.solve.SolveTask;
import io.knack.practice.solve.Solver;
import io.knack.practice.solve.SolverOptions;
import io.knack.practice.solve.Solvers;
import io.knack.practice.verify.Verifier;
import io.knack.sandbox.world.Request;
import io.knack.sandbox.world.World;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Answers traffic as a gateway with an adaptive solver would: route, solve, stop when it passes.
 */
public final class Server {
  private final World world;
  private final long seed;
  private final LanguageModel model;
  private final @Nullable Router router;
  private final Solver solver;
  private final SolverOptions options;

  /**
   * @param seed of the sampling: the same request draws the same whatever the manifest
   * @param router null for the base model alone
   * @param method name of a solver
   */
  public Server(
      World world,
      long seed,
      LanguageModel model,
      @Nullable Router router,
      String method,
      SolverOptions options) {
    this.world = world;
    this.seed = seed;
    this.model = model;
    this.router = router;
    this.solver = Solvers.named(method);
    this.options = options;
  }

  /** The manifest that answers; null for the base model. */
  public @Nullable Manifest manifest() {
    return router == null ? null : router.manifest();
  }

  /**
   * Answers one day's requests.
   *
   * @return in the order of the requests
   */
  public List<Served> answer(List<Request> requests, Consumer<Served> listener) {
    Map<String, Request> byId = new HashMap<>();
    Map<String, Route> routes = new HashMap<>();
    Map<Integer, Verifier> verifiers = new HashMap<>();
    List<SolveTask> tasks = new ArrayList<>();
    for (Request request : requests) {
      Route route = route(request);
      byId.put(request.id(), request);
      routes.put(request.id(), route);
      tasks.add(
          new SolveTask(
              request.id(),
              request.text(),
              route.messages(),
              null,
              route.adapter() == null ? null : route.adapter().name(),
              null,
              verifiers.computeIfAbsent(request.day(), day -> new ShopVerifier(world.shop(), day)),
              seed * 1_000_003 + request.id().hashCode(),
              route.retrievalMicros()));
    }
    Map<String, Served> served = new HashMap<>();
    solver.solve(
        model,
        tasks,
        options,
        (task, solution) -> {
          Served one =
              new Served(
                  Objects.requireNonNull(byId.get(task.id())),
                  Objects.requireNonNull(routes.get(task.id())),
                  solution);
          served.put(task.id(), one);
          listener.accept(one);
        });
    return requests.stream().map(r -> Objects.requireNonNull(served.get(r.id()))).toList();
  }

  private Route route(Request request) {
    List<Message> messages = List.of(Message.user(request.text()));
    if (router != null) {
      return router.route(messages, new TenantId(request.tenant()));
    }
    return Route.toBase(Prompts.of(PromptForm.SHORT).problem(messages, List.of(), List.of()));
  }
}
