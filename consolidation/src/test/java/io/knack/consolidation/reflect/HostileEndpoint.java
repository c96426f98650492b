package io.knack.consolidation.reflect;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;

/**
 * Speaks the protocol of an OpenAI-compatible endpoint over a plain socket, and misbehaves: the
 * first tries of most requests meet one trouble after the other, and then an answer.
 */
final class HostileEndpoint implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** What may go wrong with a request. */
  enum Trouble {
    NONE,
    DELAY,
    TOO_MANY,
    BROKEN,
    NO_JSON,
    TRUNCATED,
    RESET
  }

  private final ServerSocket server;
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final Function<JsonNode, String> model;

  /** Tries by the request's body. */
  final Map<String, AtomicInteger> tries = new ConcurrentHashMap<>();

  final Map<Trouble, AtomicInteger> met = new ConcurrentHashMap<>();
  final AtomicInteger answered = new AtomicInteger();

  /**
   * @param model what it says to a request
   */
  HostileEndpoint(Function<JsonNode, String> model) throws IOException {
    this.model = model;
    this.server = new ServerSocket(0, 256, InetAddress.getLoopbackAddress());
    var unused = threads.submit(this::accept);
  }

  String address() {
    return "http://127.0.0.1:" + server.getLocalPort() + "/v1";
  }

  private void accept() {
    while (!server.isClosed()) {
      try {
        Socket socket = server.accept();
        var unused = threads.submit(() -> serve(socket));
      } catch (IOException e) {
        return; // Closed.
      }
    }
  }

  private void serve(Socket socket) {
    try (socket;
        InputStream in = new BufferedInputStream(socket.getInputStream());
        OutputStream out = socket.getOutputStream()) {
      for (String body = request(in); body != null; body = request(in)) {
        if (!reply(body, socket, out)) {
          return;
        }
      }
    } catch (IOException e) {
      // The client is gone.
    }
  }

  /** The next request's body; null when the connection ends. */
  private static @org.jspecify.annotations.Nullable String request(InputStream in)
      throws IOException {
    int length = 0;
    String line = line(in);
    if (line.isEmpty()) {
      return null;
    }
    for (line = line(in); !line.isEmpty(); line = line(in)) {
      if (line.toLowerCase(Locale.ROOT).startsWith("content-length:")) {
        length = Integer.parseInt(line.substring(15).strip());
      }
    }
    return new String(in.readNBytes(length), StandardCharsets.UTF_8);
  }

  private static String line(InputStream in) throws IOException {
    StringBuilder line = new StringBuilder();
    for (int c = in.read(); c >= 0 && c != '\n'; c = in.read()) {
      if (c != '\r') {
        line.append((char) c);
      }
    }
    return line.toString();
  }

  /** Whether the connection can be used again. */
  private boolean reply(String body, Socket socket, OutputStream out) throws IOException {
    int before = tries.computeIfAbsent(body, b -> new AtomicInteger()).getAndIncrement();
    // Up to three troubles in a row, other ones for each request; then an answer.
    int lot = Math.floorMod(body.hashCode() * 31, 7 * 4);
    Trouble trouble = before >= lot / 7 ? Trouble.NONE : Trouble.values()[(lot + before) % 7];
    met.computeIfAbsent(trouble, t -> new AtomicInteger()).incrementAndGet();
    String answer = answer(body);
    switch (trouble) {
      case NONE, DELAY -> {
        if (trouble == Trouble.DELAY) {
          LockSupport.parkNanos(30_000_000);
        }
        answered.incrementAndGet();
        send(out, "200 OK", answer, answer.length(), "");
      }
      case TOO_MANY -> send(out, "429 Too Many Requests", "slow", 4, "Retry-After: 0\r\n");
      case BROKEN -> send(out, "500 Internal Server Error", "oops", 4, "");
      case NO_JSON -> send(out, "200 OK", "<html>busy", 10, "");
      case TRUNCATED -> {
        send(out, "200 OK", answer.substring(0, answer.length() / 2), answer.length(), "");
        return false;
      }
      case RESET -> {
        socket.setSoLinger(true, 0);
        return false;
      }
    }
    return true;
  }

  private static void send(OutputStream out, String status, String text, int length, String header)
      throws IOException {
    String head =
        "HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n%s\r\n"
            .formatted(status, length, header);
    out.write((head + text).getBytes(StandardCharsets.UTF_8));
    out.flush();
  }

  private String answer(String body) throws IOException {
    JsonNode request = JSON.readTree(body);
    String text = model.apply(request);
    ObjectNode reply = JSON.createObjectNode();
    reply.put("id", "x").put("object", "chat.completion").put("model", "m");
    ObjectNode choice = reply.putArray("choices").addObject();
    choice.put("index", 0).put("finish_reason", "stop");
    choice.putObject("message").put("role", "assistant").put("content", text);
    reply.putObject("usage").put("prompt_tokens", 50).put("completion_tokens", 20);
    // All ASCII, so that characters are bytes.
    StringBuilder ascii = new StringBuilder();
    JSON.writeValueAsString(reply).chars().forEach(c -> ascii.append(c < 128 ? (char) c : '?'));
    return ascii.toString();
  }

  @Override
  public void close() throws IOException {
    server.close();
    threads.shutdownNow();
  }
}
