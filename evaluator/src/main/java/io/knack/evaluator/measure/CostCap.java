package io.knack.evaluator.measure;

import io.knack.contracts.Budget;
import io.knack.contracts.Message;
import io.knack.contracts.PriceBook;
import io.knack.llm.LanguageModel;
import io.knack.practice.solve.SolverOptions;
import java.util.List;

/**
 * The most that a solver can spend on a problem, known from its prompt and options before it is
 * solved: what makes the costs of the sequential test bounded. A problem that costs more than its
 * cap counts as a fault.
 */
public final class CostCap {
  private final LanguageModel model;
  private final String method;
  private final SolverOptions options;
  private final PriceBook prices;
  private final double slack;

  /**
   * @param slack how far the count of a prompt's tokens may be off: near 1 where the model's own
   *     tokenizer counts, 2 where an endpoint's is guessed
   */
  public CostCap(
      LanguageModel model, String method, SolverOptions options, PriceBook prices, double slack) {
    this.slack = slack;
    this.model = model;
    this.method = method;
    this.options = options;
    this.prices = prices;
  }

  /**
   * @param verifier kind of the verifier: a judge's tokens are in the cap
   */
  public double of(List<Message> messages, String verifier, long retrievalMicros) {
    StringBuilder text = new StringBuilder();
    messages.forEach(message -> text.append(message.content()).append('\n'));
    // Chat templates and a method's own wording come on top of the plain text.
    long prompt =
        (long) Math.ceil(slack * model.countTokens(text.toString())) + 16 + 8L * messages.size();
    long answer = options.maxTokens();
    Calls calls =
        switch (method) {
          case "self_refine" ->
              new Calls(options.rounds(), prompt + (options.history() + 1L) * answer, answer);
          case "tree_of_thoughts" ->
              // Each node asks for thoughts and for their values, with the path so far in front.
              new Calls(
                  options.maxNodes() * (options.branching() + 1L),
                  2 * prompt + (options.depth() + 1L) * answer,
                  answer);
          case "long_cot" -> new Calls(1, prompt, options.chainTokens());
          default -> new Calls(options.maxSamples(), prompt, answer);
        };
    long checks = calls.count() + (method.equals("long_cot") ? options.chainTokens() / 4 : 0);
    long judged = verifier.equals("judge") ? checks * 2 * (calls.prompt() + 2 * answer + 2048) : 0;
    Budget most =
        new Budget(
            calls.count() * calls.prompt(),
            0,
            calls.count() * calls.answer(),
            0,
            checks,
            0,
            judged,
            retrievalMicros,
            0);
    return prices.cost(most);
  }

  private record Calls(long count, long prompt, long answer) {}
}
