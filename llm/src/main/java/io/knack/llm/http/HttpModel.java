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
 * that are cut off, no JSON or not what was asked for, and 408, 425, 429 and 5xx, whose {@code
 * Retry-After} is honoured. In the end it is a {@link io.knack.contracts.stage.TemporaryException}.
 * Any other refusal, and an answer that a content filter withheld, is a {@link PlanException} at
 * once. The API key comes from the environment and is never part of a message.
 */
public final class HttpModel implements LanguageModel {
  /** In characters: of what a server says, as much is read, and as much of that is quoted. */
  private static final int MOST_READ = 1 << 16;

  private static final int LONGEST_QUOTE = 300;

  private final EndpointPlan plan;
  private final HttpClient client;
  private final @Nullable Secret key;

  private HttpModel(EndpointPlan plan, @Nullable Secret key) {
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
    return new HttpModel(plan, key == null || key.isEmpty() ? null : new Secret(key));
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
      request.header("Authorization", "Bearer " + key.value());
    }
    return request.build();
  }

  /** Words that came from outside, fit for a message: on one line, without the key, and short. */
  String quoted(String words) {
    String line = words.replaceAll("\\s+", " ").strip();
    String read = line.substring(0, Math.min(line.length(), MOST_READ));
    // The key goes before the cut: a part of it would not be recognised.
    String safe = key == null ? read : key.outOf(read);
    return safe.length() > LONGEST_QUOTE ? safe.substring(0, LONGEST_QUOTE) + "..." : safe;
  }

  /** The problem where no message of it and its causes quotes the key, otherwise null. */
  @Nullable Throwable harmless(@Nullable Throwable problem) {
    if (key != null) {
      for (Throwable cause = problem; cause != null; cause = cause.getCause()) {
        String words = cause.toString();
        if (!key.outOf(words).equals(words)) {
          return null;
        }
      }
    }
    return problem;
  }
}
