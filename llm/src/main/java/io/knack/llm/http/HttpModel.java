package io.knack.llm.http;

import io.knack.contracts.plan.KeyVariable;
import io.knack.contracts.stage.PlanException;
import io.knack.llm.GenerationSession;
import io.knack.llm.LanguageModel;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
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
  private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(10);

  private final Endpoint endpoint;
  private final HttpClient client;
  private final @Nullable Secret key;

  private HttpModel(Endpoint endpoint, @Nullable Secret key) {
    this.endpoint = endpoint;
    Duration timeout = endpoint.calls().timeout();
    this.key = key;
    this.client =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(timeout.compareTo(CONNECT_TIMEOUT) < 0 ? timeout : CONNECT_TIMEOUT)
            .followRedirects(HttpClient.Redirect.NEVER)
            .build();
  }

  /**
   * @throws PlanException when the key variable holds what cannot be a key
   */
  public static HttpModel open(Endpoint endpoint) {
    return open(endpoint, System.getenv());
  }

  static HttpModel open(Endpoint endpoint, Map<String, String> environment) {
    String key = KeyVariable.read(endpoint.calls().keyVariable(), environment);
    return new HttpModel(endpoint, key == null ? null : new Secret(key));
  }

  @Override
  public String name() {
    return endpoint.model();
  }

  @Override
  public int maxContext() {
    int known = endpoint.calls().maxContext();
    return known == 0 ? Integer.MAX_VALUE : known;
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

  Endpoint endpoint() {
    return endpoint;
  }

  HttpClient client() {
    return client;
  }

  HttpRequest post(String path, String body) {
    String base = endpoint.address();
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
