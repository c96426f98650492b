package io.knack.practice;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.knack.contracts.Interaction;
import io.knack.contracts.Manifest;
import io.knack.contracts.Message;
import io.knack.contracts.cli.HomeOptions;
import io.knack.contracts.id.TenantId;
import io.knack.contracts.stage.ExitCode;
import io.knack.contracts.store.Jsons;
import io.knack.contracts.store.ServingManifests;
import io.knack.practice.features.Encoders;
import io.knack.practice.features.FeatureSpace;
import io.knack.practice.prompt.PromptForm;
import io.knack.practice.prompt.Prompts;
import io.knack.practice.route.Route;
import io.knack.practice.route.Router;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code route}: which memory the live manifest gives a problem. */
@Command(
    name = "route",
    mixinStandardHelpOptions = true,
    description =
        "Which memory the live manifest gives this problem, and the messages that result.",
    footer = {
      "",
      "Without a manifest every problem goes to the base model.",
      "",
      "Example: ./knack route --prompt 'What do 3 mugs cost?' --tenant acme --json"
    })
public final class RouteCommand implements Callable<Integer> {
  @Mixin HomeOptions home = new HomeOptions();

  @Spec @Nullable CommandSpec spec;

  @Option(names = "--prompt", required = true, paramLabel = "TEXT", description = "the problem")
  String prompt = "";

  @Option(names = "--system", paramLabel = "TEXT", description = "a system message before it")
  @Nullable String system;

  @Option(names = "--tenant", paramLabel = "T", description = "whose problem it is")
  @Nullable String tenant;

  @Option(
      names = "--manifest",
      paramLabel = "N",
      description = "a manifest other than the live one")
  @Nullable Long number;

  @Option(
      names = "--encoder",
      paramLabel = "DIR",
      description =
          "where the sentence encoder lies that the manifest names (default: where mining found it)")
  @Nullable Path encoder;

  @Option(
      names = "--form",
      defaultValue = "instruct",
      description = "form of the prompt: instruct or short (default: ${DEFAULT-VALUE})")
  PromptForm form = PromptForm.INSTRUCT;

  @Override
  public Integer call() throws JsonProcessingException {
    ServingManifests manifests = new ServingManifests(home.home);
    Optional<Manifest> manifest =
        number == null ? manifests.live() : Optional.of(manifests.numbered(number));
    List<Message> request =
        system == null
            ? List.of(Message.user(prompt))
            : List.of(Message.system(system), Message.user(prompt));
    TenantId who = tenant == null ? Interaction.NO_TENANT : new TenantId(tenant);
    Route route;
    if (manifest.isEmpty() || manifest.get().entries().isEmpty()) {
      List<Message> messages = Prompts.of(form).problem(request, List.of(), List.of());
      route = new Route(null, Router.BASELINE, null, messages, 0, 0, false, 0);
    } else {
      FeatureSpace space =
          FeatureSpace.load(
              manifests.featureSpace(manifest.get()), Encoders.of(home.home).at(encoder));
      route = new Router(manifest.get(), space, form).route(request, who);
    }
    print(route, manifest.map(Manifest::number).orElse(null));
    return ExitCode.OK.code();
  }

  private void print(Route route, @Nullable Long manifest) throws JsonProcessingException {
    PrintWriter out = Objects.requireNonNull(spec).commandLine().getOut();
    if (home.json) {
      ObjectNode node = Jsons.mapper().createObjectNode();
      node.put("manifest", manifest);
      node.put("cluster_id", route.clusterId() == null ? null : route.clusterId().value());
      node.put("memory", route.memory());
      node.put("adapter", route.adapter() == null ? null : route.adapter().name());
      ArrayNode messages = node.putArray("messages");
      for (Message message : route.messages()) {
        messages.addObject().put("role", message.role().wire()).put("content", message.content());
      }
      node.put("similarity", route.similarity());
      node.put("runner_up", route.runnerUp());
      node.put("fired", route.fired());
      node.put("retrieval_micros", route.retrievalMicros());
      out.println(Jsons.mapper().writeValueAsString(node));
    } else {
      out.println("manifest    " + (manifest == null ? "none" : manifest));
      out.println(
          "cluster     "
              + (route.clusterId() == null ? "none" : route.clusterId())
              + String.format(
                  "  similarity %.3f, next %.3f", route.similarity(), route.runnerUp()));
      out.println("memory      " + route.memory() + (route.fired() ? "" : "  (does not fire)"));
      out.println("adapter     " + (route.adapter() == null ? "none" : route.adapter().name()));
      for (Message message : route.messages()) {
        out.println("--- " + message.role().wire());
        out.println(message.content().stripTrailing());
      }
    }
    out.flush();
  }
}
