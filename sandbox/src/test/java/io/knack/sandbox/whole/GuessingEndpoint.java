package io.knack.sandbox.whole;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.knack.contracts.store.Digests;
import io.knack.contracts.store.Jsons;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * An OpenAI-compatible model that knows arithmetic and no house rule: it guesses the percentage of
 * a late fee, unless its prompt has solved examples to read it from. What it says depends on prompt
 * and seed alone.
 */
final class GuessingEndpoint implements AutoCloseable {
  private static final Pattern SOLVED =
      Pattern.compile("a bill of (\\d+) dollars\\?\\s*Solution:[^\\n]*?fee is (\\d+)");
  private static final Pattern ASKED = Pattern.compile("a bill of (\\d+) dollars\\?");
  private static final List<Integer> GUESSES = List.of(5, 7, 9, 11, 13, 15);

  private final HttpServer server;
  private final ExecutorService threads = Executors.newFixedThreadPool(4);

  GuessingEndpoint() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.setExecutor(threads);
    server.createContext("/v1/chat/completions", this::answer);
    server.start();
  }

  String address() {
    return "http://127.0.0.1:" + server.getAddress().getPort() + "/v1";
  }

  private void answer(HttpExchange exchange) throws IOException {
    JsonNode request = Jsons.mapper().readTree(exchange.getRequestBody());
    StringBuilder prompt = new StringBuilder();
    request
        .path("messages")
        .forEach(message -> prompt.append(message.path("content").asText()).append('\n'));
    ObjectNode reply = Jsons.mapper().createObjectNode();
    reply.put("id", "guess").put("object", "chat.completion").put("model", "guesser");
    ArrayNode choices = reply.putArray("choices");
    int samples = Math.max(1, request.path("n").asInt(1));
    for (int i = 0; i < samples; i++) {
      ObjectNode choice = choices.addObject().put("index", i).put("finish_reason", "stop");
      choice
          .putObject("message")
          .put("role", "assistant")
          .put("content", say(prompt.toString(), request.path("seed").asText() + "-" + i));
    }
    int promptTokens = prompt.length() / 4;
    reply
        .putObject("usage")
        .put("prompt_tokens", promptTokens)
        .put("completion_tokens", 40 * samples)
        .put("total_tokens", promptTokens + 40 * samples);
    byte[] body = Jsons.mapper().writeValueAsBytes(reply);
    exchange.getResponseHeaders().add("Content-Type", "application/json");
    exchange.sendResponseHeaders(200, body.length);
    exchange.getResponseBody().write(body);
    exchange.close();
  }

  private static String say(String prompt, String seed) {
    Map<Integer, Integer> seen = new HashMap<>();
    Matcher solved = SOLVED.matcher(prompt);
    while (solved.find()) {
      seen.merge(
          Integer.parseInt(solved.group(2)) * 100 / Integer.parseInt(solved.group(1)),
          1,
          Integer::sum);
    }
    int dollars = 0;
    Matcher asked = ASKED.matcher(prompt);
    while (asked.find()) {
      dollars = Integer.parseInt(asked.group(1));
    }
    int guess =
        GUESSES.get(
            Integer.parseInt(
                    Digests.sha256((prompt + seed).getBytes(StandardCharsets.UTF_8))
                        .substring(0, 6),
                    16)
                % GUESSES.size());
    int percent =
        seen.entrySet().stream()
            .max(Map.Entry.comparingByValue())
            .map(Map.Entry::getKey)
            .orElse(guess);
    return "At " + percent + " percent the fee is " + dollars * percent / 100;
  }

  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
  }
}
