package io.knack.llm.http;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.knack.contracts.Message;
import io.knack.contracts.Role;
import io.knack.contracts.ToolCall;
import io.knack.contracts.plan.Plans;
import io.knack.contracts.stage.PlanException;
import io.knack.contracts.stage.TemporaryException;
import io.knack.llm.Completion;
import io.knack.llm.FinishReason;
import io.knack.llm.GenerationListener;
import io.knack.llm.GenerationRequest;
import io.knack.llm.GenerationSession;
import io.knack.llm.Prompt;
import io.knack.llm.Sample;
import io.knack.llm.Sampling;
import io.knack.llm.TokenUsage;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class HttpModelTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String KEY = "sk-very/secret+0123456789=";

  /** How the server answers one call. */
  @FunctionalInterface
  private interface Behaviour {
    void answer(HttpExchange exchange) throws IOException;
  }

  private final ConcurrentLinkedDeque<Behaviour> script = new ConcurrentLinkedDeque<>();
  private final List<JsonNode> bodies = Collections.synchronizedList(new ArrayList<>());
  private final List<String> seen = Collections.synchronizedList(new ArrayList<>());
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final CountDownLatch release = new CountDownLatch(1);
  private HttpServer server;

  @BeforeEach
  void start() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(threads);
    server.createContext(
        "/",
        exchange -> {
          try (exchange) {
            bodies.add(JSON.readTree(exchange.getRequestBody()));
            seen.add(
                exchange.getRequestURI()
                    + " "
                    + exchange.getRequestHeaders().getFirst("Authorization"));
            Behaviour next = script.poll();
            (next == null ? text("late") : next).answer(exchange);
          }
        });
    server.start();
  }

  @AfterEach
  void stop() {
    release.countDown();
    server.stop(0);
    threads.shutdownNow();
  }

  private HttpModel model() {
    return model(4, 3);
  }

  private HttpModel model(int concurrency, int attempts) {
    return model(concurrency, attempts, Duration.ofSeconds(30));
  }

  private HttpModel model(int concurrency, int attempts, Duration timeout) {
    return HttpModel.open(
        new Endpoint(
            "http://127.0.0.1:" + server.getAddress().getPort() + "/v1",
            "tiny",
            new EndpointCalls(
                "KNACK_KEY",
                concurrency,
                timeout,
                attempts,
                Duration.ofMillis(2),
                Duration.ofSeconds(2),
                0)),
        Map.of("KNACK_KEY", KEY));
  }

  private static Behaviour status(int status, String body, String... headers) {
    return exchange -> {
      for (int i = 0; i < headers.length; i += 2) {
        exchange.getResponseHeaders().add(headers[i], headers[i + 1]);
      }
      byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
      exchange.sendResponseHeaders(status, bytes.length);
      exchange.getResponseBody().write(bytes);
    };
  }

  private static Behaviour text(String... texts) {
    StringBuilder choices = new StringBuilder();
    for (String text : texts) {
      choices
          .append(choices.isEmpty() ? "" : ",")
          .append("{\"text\": \"" + text + "\", \"message\": {\"content\": \"" + text + "\"},")
          .append("\"finish_reason\": \"stop\"}");
    }
    return status(
        200,
        "{\"choices\": ["
            + choices
            + "], \"usage\": {\"prompt_tokens\": 9, \"completion_tokens\": "
            + texts.length * 2
            + ", \"prompt_tokens_details\": {\"cached_tokens\": 4}}}");
  }

  private static GenerationRequest ask(String prompt, int samples) {
    return new GenerationRequest(new Prompt.Text(prompt), null, samples, Sampling.greedy(5));
  }

  private Completion one(GenerationRequest request) {
    return model().generate(List.of(request)).get(0);
  }

  @Test
  void continuesTextAndCountsWhatItCost() {
    script.add(text("a", "b"));
    Completion completion = one(ask("hi", 2));
    assertThat(completion.samples()).extracting(Sample::text).containsExactly("a", "b");
    assertThat(completion.samples()).extracting(Sample::index).containsExactly(0, 1);
    assertThat(completion.usage().promptTokens()).isEqualTo(9);
    assertThat(completion.usage().cachedPromptTokens()).isEqualTo(4);
    assertThat(completion.usage().completionTokens()).isEqualTo(4);
    assertThat(completion.usage().wallMicros()).isPositive();
    assertThat(seen).containsExactly("/v1/completions Bearer " + KEY);
    assertThat(bodies.get(0).toString())
        .isEqualTo(
            "{\"model\":\"tiny\",\"prompt\":\"hi\",\"max_tokens\":5,\"temperature\":0.0,\"n\":2,"
                + "\"stream\":false}");
  }

  /** llama.cpp's server says the first of these with status 500. */
  @Test
  void asksOneByOneWhereTheServerWantsItSo() {
    List<String> complaints =
        List.of("Only one completion choice is allowed", "'n' : number must be at most 1");
    for (String words : complaints) {
      bodies.clear();
      script.add(
          status(words.startsWith("O") ? 500 : 400, "{\"error\":{\"message\":\"" + words + "\"}}"));
      script.addAll(List.of(text("a"), text("b"), text("c")));
      Completion completion = one(ask("hi", 3));
      assertThat(completion.samples()).extracting(Sample::text).containsExactly("a", "b", "c");
      assertThat(completion.usage().completionTokens()).isEqualTo(6);
      assertThat(bodies).hasSize(4);
      assertThat(bodies.get(3).has("n")).isFalse();
    }
  }

  @Test
  void whatARequestHadCostBeforeItFailedIsTold() {
    script.addAll(List.of(text("a"), status(400, "no more")));
    List<String> heard = new ArrayList<>();
    try (GenerationSession session = model().open()) {
      session.submit(
          ask("hi", 2),
          new GenerationListener() {
            @Override
            public void spent(TokenUsage usage) {
              heard.add(usage.promptTokens() + " " + usage.completionTokens());
            }

            @Override
            public void failed(RuntimeException problem) {
              heard.add("failed");
            }
          });
      session.run();
    }
    assertThat(heard).containsExactly("9 2", "failed");
  }

  @Test
  void countsByLengthWhatTheServerDoesNotCount() {
    script.add(status(200, "{\"choices\": [{\"text\": \"abcdefgh\"}], \"usage\": null}"));
    Completion completion = one(ask("sixteen letters!", 1));
    assertThat(completion.usage().promptTokens()).isEqualTo(4);
    assertThat(completion.usage().completionTokens()).isEqualTo(2);
  }

  @Test
  void closingCancelsEveryCallWhateverAListenerThrows() {
    List<String> heard = new ArrayList<>();
    GenerationSession session = model().open();
    for (String name : List.of("a", "b")) {
      session.submit(
          ask(name, 1),
          new GenerationListener() {
            @Override
            public void completed(Completion completion) {
              heard.add(name);
              throw new IllegalStateException(name);
            }
          });
    }
    assertThatThrownBy(session::close)
        .hasMessage("a")
        .satisfies(thrown -> assertThat(thrown.getSuppressed()).hasSize(1));
    assertThat(heard).containsExactly("a", "b");
  }

  @Test
  void answersConversationsWithEveryOption() {
    script.add(
        status(
            200,
            "{\"choices\": [{\"message\": {\"content\": \"4\"}, \"finish_reason\": \"length\","
                + " \"logprobs\": {\"content\": [{\"logprob\": -0.5}, {\"logprob\": -1.5}]}}],"
                + " \"usage\": {\"prompt_tokens\": 3, \"completion_tokens\": 2}}"));
    Sampling sampling =
        new Sampling(7, 0.5, 0.9, 40, List.of("\n"), 11L, Sampling.Logprobs.COMPLETION);
    Prompt prompt =
        new Prompt.Chat(
            List.of(Message.system("s"), Message.user("2+2?")),
            "[{\"type\": \"function\"}]",
            Map.of("enable_thinking", false));
    Sample sample = one(new GenerationRequest(prompt, "shop-v3", 1, sampling)).samples().get(0);
    assertThat(sample.text()).isEqualTo("4");
    assertThat(sample.logprobs()).containsExactly(-0.5f, -1.5f);
    assertThat(sample.finishReason()).isEqualTo(FinishReason.LENGTH);
    assertThat(sample.completionTokens()).isEqualTo(2);
    assertThat(seen).containsExactly("/v1/chat/completions Bearer " + KEY);
    assertThat(bodies.get(0).toString())
        .isEqualTo(
            "{\"model\":\"shop-v3\",\"messages\":[{\"role\":\"system\",\"content\":\"s\"},"
                + "{\"role\":\"user\",\"content\":\"2+2?\"}],\"tools\":[{\"type\":\"function\"}],"
                + "\"chat_template_kwargs\":{\"enable_thinking\":false},\"max_tokens\":7,"
                + "\"temperature\":0.5,\"top_p\":0.9,\"top_k\":40,\"stop\":[\"\\n\"],\"seed\":11,"
                + "\"logprobs\":true,\"stream\":false}");
  }

  @Test
  void sendsAConversationAsItIsGiven() {
    script.add(
        status(
            200,
            "{\"choices\": [{\"message\": {\"content\": \"4\"}, \"finish_reason\": \"stop\"}]}"));
    Prompt prompt =
        new Prompt.Conversation(
            List.of(new TreeMap<>(Map.of("content", "2+2?", "name", "ann", "role", "user"))),
            List.of(),
            Map.of("deep", true));
    one(new GenerationRequest(prompt, null, 1, Sampling.greedy(7)));
    assertThat(seen).containsExactly("/v1/chat/completions Bearer " + KEY);
    assertThat(bodies.get(0).toString())
        .contains(
            "\"messages\":[{\"content\":\"2+2?\",\"name\":\"ann\",\"role\":\"user\"}],"
                + "\"tools\":[],\"chat_template_kwargs\":{\"deep\":true},\"max_tokens\":7");
  }

  @Test
  void carriesToolCallsBothWays() {
    script.add(
        status(
            200,
            "{\"choices\": [{\"message\": {\"content\": null, \"tool_calls\": [{\"id\": \"c2\","
                + " \"type\": \"function\", \"function\": {\"name\": \"price\", \"arguments\":"
                + " \"{\\\"item\\\": \\\"ink\\\"}\"}}, {\"function\": {\"name\": \"stock\","
                + " \"arguments\": {\"n\": 2}}}]}, \"finish_reason\": \"tool_calls\"}],"
                + " \"usage\": {\"prompt_tokens\": 3, \"completion_tokens\": 9}}"));
    Message asked =
        new Message(
            Role.ASSISTANT, "", List.of(new ToolCall("c1", "price", "{\"item\":\"pen\"}")), null);
    Message answered = new Message(Role.TOOL, "3", List.of(), "c1");
    Sample sample =
        one(new GenerationRequest(
                new Prompt.Chat(List.of(Message.user("pen, ink?"), asked, answered)),
                null,
                1,
                Sampling.greedy(9)))
            .samples()
            .get(0);
    assertThat(sample.text()).isEmpty();
    assertThat(sample.toolCalls())
        .containsExactly(
            new ToolCall("c2", "price", "{\"item\": \"ink\"}"),
            new ToolCall("call_1", "stock", "{\"n\":2}"));
    assertThat(sample.finishReason()).isEqualTo(FinishReason.STOP);
    assertThat(bodies.get(0).path("messages").path(1).path("tool_calls").toString())
        .isEqualTo(
            "[{\"id\":\"c1\",\"type\":\"function\",\"function\":{\"name\":\"price\","
                + "\"arguments\":\"{\\\"item\\\":\\\"pen\\\"}\"}}]");
    assertThat(bodies.get(0).path("messages").path(2).path("tool_call_id").asText())
        .isEqualTo("c1");
  }

  @Test
  void asksAgainWhereTheEndpointIgnoresN() {
    script.add(text("a"));
    script.add(text("b"));
    script.add(text("c"));
    GenerationRequest request =
        new GenerationRequest(new Prompt.Text("x"), null, 3, Sampling.seeded(5, 1, 100));
    Completion completion = one(request);
    assertThat(completion.samples()).extracting(Sample::text).containsExactly("a", "b", "c");
    assertThat(bodies).extracting(body -> body.path("seed").asInt()).containsExactly(100, 101, 102);
    assertThat(completion.usage().completionTokens()).isEqualTo(6);
  }

  @Test
  void triesAgainWhatMayPass() {
    List<Behaviour> troubles =
        List.of(
            status(429, "{\"error\": {\"message\": \"slow down\"}}", "Retry-After", "0"),
            status(500, "oops"),
            status(503, "", "Retry-After", "nonsense"),
            HttpExchange::close,
            exchange -> {
              exchange.sendResponseHeaders(200, 500);
              exchange
                  .getResponseBody()
                  .write("{\"choices\": [{\"te".getBytes(StandardCharsets.UTF_8));
              exchange.getResponseBody().flush();
            },
            status(200, "{\"choices\": [{\"te"),
            status(200, "<html>gateway</html>"),
            status(200, "{}"));
    for (Behaviour trouble : troubles) {
      script.add(trouble);
      script.add(text("fine"));
      assertThat(one(ask("x", 1)).samples()).extracting(Sample::text).containsExactly("fine");
    }
    assertThat(bodies).hasSize(2 * troubles.size());
  }

  @Test
  void waitsAsLongAsTheServerAsks() {
    script.add(status(429, "", "Retry-After", "1"));
    script.add(text("fine"));
    Completion completion = one(ask("x", 1));
    assertThat(completion.usage().wallMicros()).isGreaterThan(990_000);
    script.add(status(429, "busy", "Retry-After", "3600"));
    assertThatThrownBy(() -> one(ask("x", 1)))
        .isInstanceOf(TemporaryException.class)
        .hasMessageContaining("asks to come back in 3600 s (status 429: busy)");
  }

  @Test
  void givesUpInTheEnd() {
    for (int i = 0; i < 3; i++) {
      script.add(status(500, "{\"error\": \"bad " + KEY + " day\"}"));
    }
    assertThatThrownBy(() -> one(ask("x", 1)))
        .isInstanceOf(TemporaryException.class)
        .hasMessageContaining("failed 3 times, at last with status 500: bad [key] day")
        .hasMessageNotContaining(KEY);
  }

  @Test
  void refusesAtOnceWhatWillNotPass() {
    script.add(status(400, "{\"error\": {\"message\": \"context of 4096 exceeded\"}}"));
    assertThatThrownBy(() -> one(ask("x", 1)))
        .isInstanceOf(PlanException.class)
        .hasMessageContaining("status 400: context of 4096 exceeded");
    script.add(status(401, "{\"error\": \"wrong key " + KEY + "\"}"));
    assertThatThrownBy(() -> one(ask("x", 1)))
        .isInstanceOf(PlanException.class)
        .hasMessageContaining("set the environment variable KNACK_KEY")
        .hasMessageNotContaining(KEY);
    assertThatThrownBy(
            () ->
                one(new GenerationRequest(new Prompt.Ids(List.of(1)), null, 1, Sampling.greedy(1))))
        .isInstanceOf(PlanException.class)
        .hasMessageContaining("token ids needs an in-process model");
    assertThat(bodies).hasSize(2);
  }

  @Test
  void doesNotHangWithAServerThatDoes() {
    Behaviour hanging = exchange -> hang();
    Behaviour hangingBody =
        exchange -> {
          exchange.sendResponseHeaders(200, 100);
          exchange.getResponseBody().write('{');
          exchange.getResponseBody().flush();
          hang();
        };
    script.add(hanging);
    script.add(hangingBody);
    script.add(text("fine"));
    Completion completion =
        model(1, 5, Duration.ofMillis(700)).generate(List.of(ask("x", 1))).get(0);
    assertThat(completion.samples()).extracting(Sample::text).containsExactly("fine");
  }

  private void hang() {
    try {
      release.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Test
  void saysThatNobodyIsThere() {
    HttpModel model = model();
    server.stop(0);
    assertThatThrownBy(() -> model.generate(List.of(ask("x", 1))))
        .isInstanceOf(TemporaryException.class)
        .hasMessageContaining(
            "no connection to 127.0.0.1:" + server.getAddress().getPort() + " (refused)")
        .hasMessageContaining("check that a server listens there");
  }

  @Test
  void ofAnEndlessComplaintTheBeginningIsRead() {
    for (int i = 0; i < 3; i++) {
      script.add(
          exchange -> {
            exchange.sendResponseHeaders(503, 0);
            while (release.getCount() > 0) {
              exchange.getResponseBody().write("on and on ".repeat(1000).getBytes(UTF_8));
            }
          });
    }
    assertThatThrownBy(() -> one(ask("x", 1)))
        .isInstanceOf(TemporaryException.class)
        .hasMessageContaining("failed 3 times, at last with status 503: on and on on and on");
  }

  @Test
  void aCutDoesNotHideTheKey() {
    for (int before = 250; before <= 300; before++) {
      String words = "x".repeat(before) + " " + KEY + " is unknown";
      script.add(status(400, "{\"error\": {\"message\": \"" + words + "\"}}"));
      assertThatThrownBy(() -> one(ask("x", 1)))
          .isInstanceOf(PlanException.class)
          .hasMessageContaining("x".repeat(250))
          .hasMessageNotContaining("sk-");
    }
    for (int i = 0; i < 3; i++) {
      script.add(status(500, "x".repeat(280) + " " + KEY));
    }
    assertThatThrownBy(() -> one(ask("x", 1)))
        .isInstanceOf(TemporaryException.class)
        .hasMessageContaining("x [key]; try again")
        .hasMessageNotContaining("sk-");
  }

  @Test
  void theKeyIsKnownInOtherForms() {
    for (String form :
        List.of(
            "sk-very%2Fsecret%2B0123456789%3D",
            "sk-very%2fsecret+0123456789%3d",
            "sk-very%252Fsecret%252B0123456789%253D",
            "sk-very\\/secret\\u002b0123456789\\u003D",
            "sk-very\\\\/secret\\\\u002B0123456789=",
            "sk-very/secret+01234",
            "secret+0123456789=")) {
      script.add(status(400, "bad " + form + " day"));
      assertThatThrownBy(() -> one(ask("x", 1)))
          .hasMessageContaining("with status 400: bad [key] day");
    }
    script.add(status(400, "no sk-very key"));
    assertThatThrownBy(() -> one(ask("x", 1))).hasMessageContaining("no sk-very key");
    assertThat(new Secret(KEY)).asString().doesNotContain(KEY);
  }

  @Test
  void noCauseQuotesTheKey() {
    for (int i = 0; i < 3; i++) {
      script.add(status(200, "{\"choices\": secret+0123456789 is unknown"));
    }
    assertThatThrownBy(() -> one(ask("x", 1)))
        .isInstanceOf(TemporaryException.class)
        .hasMessageContaining("an answer that is no JSON")
        .hasNoCause();
    HttpModel model = model();
    IOException quoting = new IOException("Invalid status line: \"" + KEY + "\"");
    IOException other = new IOException("broken pipe");
    assertThat(model.harmless(new IOException("read", quoting))).isNull();
    assertThat(model.harmless(other)).isSameAs(other);
  }

  private static String choice(String fields) {
    return "{\"choices\": [{" + fields + "}]}";
  }

  private static GenerationRequest chat(Sampling.Logprobs logprobs) {
    return new GenerationRequest(
        new Prompt.Chat(List.of(Message.user("hi"))),
        null,
        1,
        new Sampling(5, 0, 1, 0, List.of(), null, logprobs));
  }

  @Test
  void joinsTheTextPartsOfAnAnswer() {
    script.add(
        status(
            200,
            choice(
                "\"message\": {\"content\": [{\"type\": \"thinking\", \"thinking\": []},"
                    + " {\"type\": \"text\", \"text\": \"2 and \"}, \"2\"]}")));
    assertThat(one(chat(Sampling.Logprobs.NONE)).samples().get(0).text()).isEqualTo("2 and 2");
  }

  @Test
  void refusesAnswersOfAnotherShape() {
    String fine = "\"message\": {\"content\": \"4\"}";
    Map<String, String> answers =
        Map.of(
            "{\"choices\": [\"a\"]}",
            "a choice that is no object with text: \"a\"",
            choice("\"message\": \"a\""),
            "a choice that is no object with text: {\"message\":\"a\"}",
            choice("\"message\": {\"content\": [{\"type\": \"image\"}]}"),
            "neither text nor text parts: [{\"type\":\"image\"}]",
            choice("\"message\": {\"content\": 5}"),
            "neither text nor text parts: 5",
            choice(fine + ", \"finish_reason\": \"abort\""),
            "ended with finish_reason abort",
            "",
            "at last with an answer that is empty;",
            "{\"error\": {\"message\": \"model overloaded\"}}",
            "an answer without choices: model overloaded",
            "{\"usage\": {\"prompt_tokens\": -5}, " + choice(fine).substring(1),
            "prompt_tokens is -5, not a whole number from 0",
            "{\"usage\": {\"completion_tokens\": 5000000000}, " + choice(fine).substring(1),
            "completion_tokens is 5000000000, not a whole number",
            "{\"usage\": {\"prompt_tokens\": \"many\"}, " + choice(fine).substring(1),
            "prompt_tokens is \"many\", not a whole number");
    answers.forEach(
        (answer, complaint) -> {
          for (int i = 0; i < 3; i++) {
            script.add(status(200, answer));
          }
          assertThatThrownBy(() -> one(chat(Sampling.Logprobs.NONE)))
              .isInstanceOf(TemporaryException.class)
              .hasMessageContaining("failed 3 times, at last with an answer")
              .hasMessageContaining(complaint);
        });
  }

  @Test
  void saysThatAFilterWithheldTheAnswer() {
    script.add(
        status(
            200,
            choice("\"message\": {\"content\": \"\"}, \"finish_reason\": \"content_filter\"")));
    assertThatThrownBy(() -> one(chat(Sampling.Logprobs.NONE)))
        .isInstanceOf(PlanException.class)
        .hasMessageContaining("content filter withheld (finish_reason content_filter)")
        .hasMessageContaining("change the prompt");
    assertThat(bodies).hasSize(1);
  }

  @Test
  void aMissingLogProbabilityIsNotCertainty() {
    for (String second : List.of("{\"logprob\": null}", "{\"token\": \"x\"}", "null")) {
      script.add(
          status(
              200,
              choice(
                  "\"message\": {\"content\": \"4\"}, \"logprobs\": {\"content\":"
                      + " [{\"logprob\": -0.5}, "
                      + second
                      + "]}")));
      Sample sample = one(chat(Sampling.Logprobs.COMPLETION)).samples().get(0);
      assertThat(sample.logprobs()).isNull();
      assertThat(sample.completionTokens()).isEqualTo(2);
    }
  }

  @Test
  void keepsToItsConcurrency() {
    AtomicInteger now = new AtomicInteger();
    AtomicInteger most = new AtomicInteger();
    CountDownLatch two = new CountDownLatch(2);
    for (int i = 0; i < 12; i++) {
      script.add(
          exchange -> {
            most.accumulateAndGet(now.incrementAndGet(), Math::max);
            two.countDown();
            try {
              two.await(); // The first waits for the second: both must be out at once.
            } catch (InterruptedException e) {
              Thread.currentThread().interrupt();
            }
            now.decrementAndGet();
            text("x").answer(exchange);
          });
    }
    List<GenerationRequest> requests = Collections.nCopies(12, ask("x", 1));
    assertThat(model(2, 1).generate(requests)).hasSize(12);
    assertThat(most).hasValue(2);
  }

  @Test
  void listenersMaySubmitAndCancel() {
    script.add(text("first"));
    script.add(text("second"));
    List<String> heard = new ArrayList<>();
    try (GenerationSession session = model(1, 1).open()) {
      GenerationSession.Handle[] last = new GenerationSession.Handle[1];
      session.submit(
          ask("1", 1),
          new GenerationListener() {
            @Override
            public void completed(Completion completion) {
              heard.add(completion.samples().get(0).text());
              session.submit(ask("2", 1), hearing(heard));
              last[0].cancel();
              last[0].cancel();
            }
          });
      last[0] = session.submit(ask("3", 2), hearing(heard));
      session.run();
    }
    assertThat(heard).containsExactly("first", "[CANCELLED, CANCELLED]", "[STOP]");
  }

  private static GenerationListener hearing(List<String> heard) {
    return new GenerationListener() {
      @Override
      public void completed(Completion completion) {
        heard.add(completion.samples().stream().map(Sample::finishReason).toList().toString());
      }
    };
  }

  @Test
  void oneFailureNeedNotEndTheOthers() {
    script.add(status(400, "no"));
    script.add(text("fine"));
    List<String> heard = new ArrayList<>();
    try (GenerationSession session = model(1, 1).open()) {
      for (int i = 0; i < 2; i++) {
        session.submit(
            ask("x", 1),
            new GenerationListener() {
              @Override
              public void completed(Completion completion) {
                heard.add(completion.samples().get(0).text());
              }

              @Override
              public void failed(RuntimeException problem) {
                heard.add(problem.getClass().getSimpleName());
              }
            });
      }
      session.run();
    }
    assertThat(heard).containsExactly("PlanException", "fine");
  }

  @Test
  void plansAreChecked() {
    EndpointCalls calls = Plans.read(EndpointCalls.class, null, List.of());
    assertThatThrownBy(() -> new Endpoint("ftp://x", " ", calls))
        .isInstanceOf(PlanException.class)
        .hasMessageContaining("endpoint: is 'ftp://x', expected an http or https address")
        .hasMessageContaining("the model's name at the endpoint must not be blank");
    assertThatThrownBy(() -> new Endpoint("http://me:pw@x", "m", calls))
        .hasMessageContaining("must not hold a user name or password")
        .hasMessageNotContaining("pw");
    assertThatThrownBy(
            () -> Plans.read(EndpointCalls.class, null, List.of("timeout=0s", "back_off=0s")))
        .hasMessageContaining("timeout: must be positive, found PT0S")
        .hasMessageContaining("back_off: must be positive, found PT0S");
  }

  /** Files of variables leave a carriage return behind it; more than that is no key. */
  @Test
  void aKeyIsTakenWithoutTheWhiteSpaceAroundIt() {
    Endpoint there =
        new Endpoint("http://x/v1", "m", Plans.read(EndpointCalls.class, null, List.of()));
    HttpModel.open(there, Map.of("OPENAI_API_KEY", KEY + "\r\n")).close();
    assertThatThrownBy(() -> HttpModel.open(there, Map.of("OPENAI_API_KEY", "two\nlines")))
        .isInstanceOf(PlanException.class)
        .hasMessageContaining("OPENAI_API_KEY holds no key")
        .hasMessageNotContaining("lines");
  }
}
