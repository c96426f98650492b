package io.knack.sandbox.serve;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.knack.contracts.Attempt;
import io.knack.contracts.Budget;
import io.knack.contracts.Interaction;
import io.knack.contracts.Manifest;
import io.knack.contracts.Message;
import io.knack.contracts.Outcome;
import io.knack.contracts.id.ConversationId;
import io.knack.contracts.id.InteractionId;
import io.knack.contracts.id.SubjectId;
import io.knack.contracts.id.TenantId;
import io.knack.contracts.store.Jsons;
import io.knack.contracts.table.Tables;
import io.knack.sandbox.world.Request;
import io.knack.sandbox.world.World;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Writes what a gateway would have logged, below {@code HOME/LOG/day-NN}: {@code knack.jsonl}
 * (every attempt) and {@code openai.jsonl} (request and response). The truth goes to {@code
 * HOME/truth/LOG/day-NN.jsonl}, which no stage reads.
 */
public final class TrafficLog {
  private final Path home;
  private final String name;
  private final World world;
  private final String model;

  /**
   * @param name of the log: {@code traffic} is what the night imports
   * @param model the name that serving knows the model by
   */
  public TrafficLog(Path home, String name, World world, String model) {
    this.home = home;
    this.name = name;
    this.world = world;
    this.model = model;
  }

  /** Writes one day whole, replacing an earlier attempt at it. */
  public void write(int day, List<Served> served, @Nullable Manifest manifest) throws IOException {
    String dayName = String.format(Locale.ROOT, "day-%02d", day);
    Path directory = Files.createDirectories(home.resolve(name).resolve(dayName));
    Path truths = Files.createDirectories(home.resolve("truth").resolve(name));
    try (BufferedWriter knack = Files.newBufferedWriter(directory.resolve("knack.jsonl"));
        BufferedWriter openai = Files.newBufferedWriter(directory.resolve("openai.jsonl"));
        BufferedWriter truth = Files.newBufferedWriter(truths.resolve(dayName + ".jsonl"))) {
      for (Served one : served) {
        line(knack, Tables.INTERACTIONS.json(interaction(one, manifest)));
        line(openai, openAi(one));
        line(truth, Jsons.mapper().writeValueAsString(Measured.of(one)));
      }
    }
  }

  private static void line(BufferedWriter writer, String line) throws IOException {
    writer.write(line);
    writer.write('\n');
  }

  /**
   * A line of the truth file.
   *
   * @param passed by the shop, whatever the log says
   */
  public record Measured(
      String id,
      int day,
      String tenant,
      String family,
      String level,
      String policy,
      String kind,
      String structure,
      boolean recurring,
      boolean poisoned,
      String memory,
      boolean fired,
      boolean passed,
      Budget budget) {
    static Measured of(Served served) {
      Request request = served.request();
      Request.Truth truth = request.truth();
      return new Measured(
          request.id(),
          request.day(),
          request.tenant(),
          truth.family(),
          truth.level().name(),
          truth.policy(),
          truth.kind(),
          truth.structure(),
          truth.recurring(),
          request.poisoned(),
          served.route().memory(),
          served.route().fired(),
          served.solution().passed(),
          served.solution().budget());
    }
  }

  private Interaction interaction(Served served, @Nullable Manifest manifest) {
    Request request = served.request();
    boolean passed = served.solution().passed() || request.poisoned();
    return new Interaction(
        new InteractionId(request.id()),
        request.occurredAt(),
        new TenantId(request.tenant()),
        new SubjectId(request.user()),
        new ConversationId(request.conversation()),
        List.of(Message.user(request.text())),
        null,
        answer(served),
        null,
        attempts(served),
        passed ? Outcome.VERIFIED : Outcome.FAILED,
        "log:verified",
        null,
        served.solution().budget(),
        null,
        served.solution().budget().wallMicros(),
        model,
        manifest == null ? null : Manifest.name(manifest.number()),
        Map.of("day", Integer.toString(request.day())));
  }

  /** What the log says was served: a lie where it is poisoned. */
  private String answer(Served served) {
    return served.request().poisoned()
        ? world.poisonedAnswer(served.request())
        : served.solution().answer();
  }

  private List<Attempt> attempts(Served served) {
    List<Attempt> attempts = served.solution().attempts();
    if (!served.request().poisoned()) {
      return attempts;
    }
    long tokens = attempts.isEmpty() ? 0 : attempts.get(0).completionTokens();
    long prompt = attempts.isEmpty() ? 0 : attempts.get(0).promptTokens();
    return List.of(
        new Attempt("best_of_n", answer(served), prompt, 0, tokens, 1.0, Outcome.VERIFIED));
  }

  private String openAi(Served served) throws IOException {
    Request request = served.request();
    Budget budget = served.solution().budget();
    ObjectNode line = Jsons.mapper().createObjectNode();
    ObjectNode asked = line.putObject("request");
    asked.put("model", model);
    asked.putArray("messages").addObject().put("role", "user").put("content", request.text());
    asked.put("temperature", 1);
    asked.put("user", request.user());
    ObjectNode response = line.putObject("response");
    response.put("id", request.id());
    response.put("object", "chat.completion");
    response.put("created", request.occurredAt().getEpochSecond());
    response.put("model", model);
    ObjectNode choice = response.putArray("choices").addObject();
    choice.put("index", 0);
    choice.put("finish_reason", "stop");
    choice.putObject("message").put("role", "assistant").put("content", answer(served));
    ObjectNode usage = response.putObject("usage");
    usage.put("prompt_tokens", budget.promptTokens());
    usage.put("completion_tokens", budget.completionTokens());
    usage.put("total_tokens", budget.promptTokens() + budget.completionTokens());
    usage.putObject("prompt_tokens_details").put("cached_tokens", budget.cachedPromptTokens());
    line.put("timestamp", request.occurredAt().getEpochSecond());
    line.put("client_id", request.tenant());
    return Jsons.mapper().writeValueAsString(line);
  }
}
