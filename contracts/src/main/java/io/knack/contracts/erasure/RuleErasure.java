package io.knack.contracts.erasure;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.knack.contracts.RuleEvent;
import io.knack.contracts.id.RuleId;
import io.knack.contracts.id.RunId;
import io.knack.contracts.stage.ContractException;
import io.knack.contracts.store.Artifact;
import io.knack.contracts.store.DurableFiles;
import io.knack.contracts.store.Jsons;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * Takes evidence out of rules. A rule that has none left is retired by an event at the end of the
 * ledger, and its words go from every place where they stand; the events themselves stay, so that
 * the ledger still plays.
 */
final class RuleErasure {
  private static final ObjectMapper JSON = Jsons.mapper();
  private static final String GONE = "(erased)";

  private final Traces traces;

  RuleErasure(Traces traces) {
    this.traces = traces;
  }

  /** The files of one night, without the person. */
  void prepare(Replacement replacement, Standing standing, String receipt, Instant at) {
    Artifact old = replacement.old();
    Path rules = old.file("rules.json");
    Path ledger = old.file("ledger.jsonl");
    Path page = old.file("RULES.md");
    try {
      Set<String> retired = new TreeSet<>();
      if (Files.exists(rules)) {
        live(replacement, Files.readString(rules), retired);
      }
      if (Files.exists(ledger)) {
        ledger(replacement, DurableFiles.wholeLines(ledger), retired, standing, receipt, at);
      }
      if (Files.exists(page) && !retired.isEmpty()) {
        replacement.text("RULES.md", page(Files.readString(page), retired));
      }
    } catch (JsonProcessingException e) {
      throw new ContractException(old.ref() + " has damaged rules: " + Jsons.words(e), e);
    } catch (IOException e) {
      throw new ContractException("cannot read the rules of " + old.ref(), e);
    }
  }

  /** Whether a night's live rules are the ones that stand today. */
  enum Standing {
    LATEST,
    EARLIER
  }

  private void live(Replacement replacement, String text, Set<String> retired)
      throws JsonProcessingException {
    JsonNode tree = JSON.readTree(text);
    ArrayNode kept = JSON.createArrayNode();
    long evidence = 0;
    for (JsonNode rule : tree.path("rules")) {
      String id = rule.path("id").asText();
      if (traces.rules().contains(id)) {
        retired.add(id);
      } else {
        evidence += strip((ObjectNode) rule);
        kept.add(rule);
      }
    }
    if (evidence > 0 || !retired.isEmpty()) {
      ((ObjectNode) tree).set("rules", kept);
      replacement.text(
          "rules.json", JSON.writerWithDefaultPrettyPrinter().writeValueAsString(tree) + "\n");
      replacement.count("rule_evidence", evidence);
    }
  }

  private void ledger(
      Replacement replacement,
      List<String> lines,
      Set<String> retired,
      Standing standing,
      String receipt,
      Instant at)
      throws JsonProcessingException {
    List<String> written = new ArrayList<>();
    long last = 0;
    boolean changed = false;
    for (String line : lines) {
      ObjectNode event = (ObjectNode) JSON.readTree(line);
      last = event.path("sequence").asLong();
      changed |= redact(event);
      written.add(JSON.writeValueAsString(event));
    }
    if (standing == Standing.LATEST) {
      for (String id : retired) {
        written.add(
            JSON.writeValueAsString(
                new RuleEvent(
                    ++last,
                    new RunId("forget-" + receipt),
                    at,
                    RuleEvent.Kind.RETIRED,
                    new RuleId(id),
                    null,
                    null,
                    List.of(),
                    "erasure " + receipt + ": no evidence is left")));
        changed = true;
      }
      replacement.count("rules_retired", retired.size());
    }
    if (changed) {
      replacement.text("ledger.jsonl", String.join("\n", written) + "\n");
    }
  }

  private boolean redact(ObjectNode event) {
    boolean changed = strip(event) > 0;
    if (event.get("rule") instanceof ObjectNode rule) {
      changed |= strip(rule) > 0;
      if (traces.rules().contains(event.path("rule_id").asText())
          && !rule.path("then").asText().equals(GONE)) {
        rule.put("when", GONE).put("then", GONE).put("scope", GONE);
        event.put("reason", GONE);
        changed = true;
      }
    }
    return changed;
  }

  /** Takes erased examples out of {@code evidence}. */
  private long strip(ObjectNode holder) {
    ArrayNode kept = JSON.createArrayNode();
    long gone = 0;
    for (JsonNode example : holder.path("evidence")) {
      if (traces.examples().contains(example.asText())) {
        gone++;
      } else {
        kept.add(example);
      }
    }
    if (gone > 0) {
      holder.set("evidence", kept);
    }
    return gone;
  }

  private static String page(String text, Set<String> retired) {
    StringBuilder page = new StringBuilder();
    text.lines()
        .filter(line -> retired.stream().noneMatch(id -> line.startsWith("[" + id + "] ")))
        .forEach(line -> page.append(line).append('\n'));
    return page.toString();
  }
}
