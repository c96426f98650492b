package io.knack.sandbox;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.knack.contracts.stage.ExitCode;
import io.knack.contracts.stage.PlanException;
import io.knack.contracts.store.Jsons;
import io.knack.sandbox.world.Shop;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code sandbox verify}: knows the shop, says pass or fail. */
@Command(
    name = "verify",
    mixinStandardHelpOptions = true,
    description = {
      "Says whether answers to the shop's problems are right, under the rules of one day.",
      "Without --problem it reads one JSON object a line, {\"id\":..,\"problem\":..,"
          + "\"completion\":..}, and answers each with {\"id\":..,\"score\":0 or 1}: the long-lived"
          + " form of a command verifier."
    },
    footer = {
      "",
      "Example: ./knack sandbox verify --seed 1 --problem 'At Coral Quarry: Ana buys rugs for 7 and"
          + " bowls for 5. Coral Quarry shipping applies. What is to pay?' --answer 'A: 18'"
    })
public final class VerifyCommand implements Callable<Integer> {
  @Spec @Nullable CommandSpec spec;

  @Option(names = "--seed", defaultValue = "1", description = "of the world (default: 1)")
  long seed = 1;

  @Option(
      names = "--day",
      defaultValue = "1000000",
      description = "whose rules hold, from 1 (default: the last rules there ever are)")
  int day = 1_000_000;

  @Option(names = "--problem", paramLabel = "TEXT", description = "one problem")
  @Nullable String problem;

  @Option(names = "--answer", paramLabel = "TEXT", description = "its answer")
  @Nullable String answer;

  @Override
  public Integer call() throws IOException {
    if ((problem == null) != (answer == null)) {
      throw new PlanException("--problem and --answer go together; give both or neither");
    }
    PrintWriter out = Objects.requireNonNull(spec).commandLine().getOut();
    Shop shop = Shop.of(seed);
    if (problem != null && answer != null) {
      boolean passed = shop.passes(problem, answer, day);
      out.println(passed ? "pass" : "fail");
      out.flush();
      return ExitCode.OK.code();
    }
    try (BufferedReader in =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
      for (String line = in.readLine(); line != null; line = in.readLine()) {
        if (!line.isBlank()) {
          out.println(reply(shop, line));
          out.flush();
        }
      }
    }
    return ExitCode.OK.code();
  }

  private String reply(Shop shop, String line) throws JsonProcessingException {
    ObjectMapper json = Jsons.mapper();
    ObjectNode reply = json.createObjectNode();
    try {
      JsonNode check = json.readTree(line);
      reply.set("id", check.path("id"));
      String text = check.path("completion").asText(check.path("answer").asText());
      boolean passed = shop.passes(check.path("problem").asText(), text, day);
      reply.put("score", passed ? 1.0 : 0.0);
      reply.put("reason", passed ? "pass" : "fail");
    } catch (JsonProcessingException e) {
      reply.put("score", 0.0);
      reply.put("reason", "not a JSON object: " + e.getOriginalMessage());
    }
    return json.writeValueAsString(reply);
  }
}
