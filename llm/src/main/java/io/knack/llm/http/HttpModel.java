package io.knack.llm.http;

import io.knack.contracts.stage.PlanException;
import io.knack.llm.GenerationSession;
import io.knack.llm.LanguageModel;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * A model behind an OpenAI-compatible endpoint. Text goes to {@code /completions}, conversations to
 * {@code /chat/completions}; an adapter is asked for as a model of its own name, as vLLM and others
 * serve it. Samples come without token ids. An endpoint that ignores {@code n} is asked again until
 * all samples are there.
 *
 * <p>What may pass is tried again with growing waits: connections that break, timeouts, answers
 * that are cut off or no JSON, and 408, 425, 429 and 5xx, whose {@code Retry-After} is honoured. In
 * the end it is a {@link io.knack.contracts.stage.TemporaryException}. Any other refusal is a
 * {@link PlanException} at once. The API key comes from the environment and is never part of a
 * message.
 */
public final class HttpModel implements LanguageModel {
  private final EndpointPlan plan;
  private final HttpClient client;
  private final @Nullable String key;

  private HttpModel(EndpointPlan plan, @Nullable String key) {
    this.plan = plan;
    this.key = key;
    this.client =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(
                plan.timeout().compareTo(Duration.ofSeconds(10)) < 0
                    ? plan.timeout()
                    : Duration.ofSeconds(10))
            .followRedirects(HttpClient.Redirect.NEVER)
            .build();
  }

  public static HttpModel open(EndpointPlan plan) {
    return open(plan, System::getenv);
  }

  /**
   * @param environment gives a variable's value, or null
   */
  static HttpModel open(EndpointPlan plan, Function<String, @Nullable String> environment) {
    String key = environment.apply(plan.keyVariable());
    if (key != null && !key.chars().allMatch(c -> c > 0x20 && c < 0x7f)) {
      throw new PlanException(
          "the variable "
              + plan.keyVariable()
              + " holds no key: it has blanks or control"
              + " characters in it; set it again without them");
    }
    return new HttpModel(plan, key == null || key.isEmpty() ? null : key);
  }

  @Override
  public String name() {
    return plan.model();
  }

  @Override
  public int maxContext() {
    return plan.maxContext() == 0 ? Integer.MAX_VALUE : plan.maxContext();
  }

  /** An estimate: a token is taken to be four bytes. */
  @Override
  public int countTokens(String text) {
    return Wire.estimate(text);
  }

  @Override
  public GenerationSession open() {
    return new HttpSession(this);
  }

  @Override
  public void close() {
    // The client's threads end with it, when nothing refers to it any more.
  }

  EndpointPlan plan() {
    return plan;
  }

  HttpClient client() {
    return client;
  }

  HttpRequest post(String path, String body) {
    String base = plan.endpoint();
    HttpRequest.Builder request =
        HttpRequest.newBuilder(
                URI.create(
                    (base.endsWith("/") ? base.substring(0, base.length() - 1) : base) + path))
            .header("Content-Type", "application/json")
            .POST(HttpRequest.BodyPublishers.ofString(body, StandardCharsets.UTF_8));
    if (key != null) {
      request.header("Authorization", "Bearer " + key);
    }
    return request.build();
  }

  /** Takes the key out of words that came from outside. */
  String redacted(String words) {
    return key == null ? words : words.replace(key, "[key]");
  }
}
