package io.knack.practice.verify;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** A user's verifier, as its own program: does what the answer tells it to. */
public final class EchoCommand {
  private EchoCommand() {}

  public static void main(String[] arguments) throws Exception {
    PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    BufferedReader in =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    ObjectMapper json = new ObjectMapper();
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      JsonNode asked = json.readTree(line);
      String answer = asked.get("answer").asText();
      switch (answer) {
        case "hang" -> waitToBeStopped();
        case "die" -> System.exit(3);
        case "eat" -> eat();
        case "endless" -> {
          // A line without an end, far more than anybody should hold.
          for (int i = 0; i < 300; i++) {
            out.print("e".repeat(100_000));
          }
          out.println();
        }
        case "orphan" -> {
          // A child that holds our output open and outlives us.
          new ProcessBuilder("sleep", "98765").inheritIO().start();
          System.exit(0);
        }
        case "noise" -> out.println("some noise\n{\"not\":\"a reply\"}\n" + "n".repeat(200_000));
        case "environment" ->
            out.println(
                json.createObjectNode()
                    .put("id", asked.get("id").asLong())
                    .put("score", 0)
                    .put("reason", String.join(",", System.getenv().keySet())));
        default -> {}
      }
      if (answer.equals("environment")) {
        continue;
      }
      if (answer.equals("quiet")) {
        System.exit(0);
      }
      out.println(
          json.createObjectNode()
              .put("id", asked.get("id").asLong())
              .put("score", answer.equals(asked.path("reference").asText()) ? 1.0 : 0.25)
              .put("reason", "long ".repeat(answer.equals("long") ? 4000 : 1)));
    }
  }

  private static void eat() throws InterruptedException {
    List<byte[]> held = new ArrayList<>();
    for (int i = 0; i < 60; i++) {
      byte[] block = new byte[10 << 20];
      java.util.Arrays.fill(block, (byte) i);
      held.add(block);
    }
    waitToBeStopped();
    throw new IllegalStateException("stopped with " + held.size() + " blocks held");
  }

  /** Until the verifier kills this process; it ends by itself where that is broken. */
  private static void waitToBeStopped() throws InterruptedException {
    if (!new CountDownLatch(1).await(1, TimeUnit.MINUTES)) {
      throw new IllegalStateException("nobody stopped me");
    }
  }
}
