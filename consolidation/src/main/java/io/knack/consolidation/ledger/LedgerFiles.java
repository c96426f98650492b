package io.knack.consolidation.ledger;

import com.fasterxml.jackson.core.JsonProcessingException;
import io.knack.contracts.Rule;
import io.knack.contracts.RuleEvent;
import io.knack.contracts.RuleSet;
import io.knack.contracts.stage.ContractException;
import io.knack.contracts.store.Artifact;
import io.knack.contracts.store.Jsons;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * The files of a rules artifact: {@code ledger.jsonl} with the night's own events (the ledger is
 * the chain of artifacts), {@code rules.json} with the rules that are live after it, and {@code
 * RULES.md}, the same for people and agents.
 */
public final class LedgerFiles {
  public static final String LEDGER = "ledger.jsonl";
  public static final String RULES = "rules.json";
  public static final String PAGE = "RULES.md";

  private LedgerFiles() {}

  /** The book after the given nights, oldest first. */
  public static RuleBook replay(List<Artifact> nights) {
    RuleBook book = new RuleBook();
    for (Artifact night : nights) {
      replay(book, night.file(LEDGER));
    }
    return book;
  }

  /** Plays one file of events. */
  public static void replay(RuleBook book, Path file) {
    try (BufferedReader in = Files.newBufferedReader(file)) {
      for (String line = in.readLine(); line != null; line = in.readLine()) {
        book.apply(Jsons.mapper().readValue(line, RuleEvent.class));
      }
    } catch (JsonProcessingException e) {
      throw new ContractException(file + " is damaged: " + Jsons.words(e), e);
    } catch (IOException e) {
      throw new ContractException("cannot read " + file, e);
    }
  }

  /** Writes a night. */
  public static void write(Path directory, List<RuleEvent> events, RuleSet live)
      throws IOException {
    try (BufferedWriter out = Files.newBufferedWriter(directory.resolve(LEDGER))) {
      for (RuleEvent event : events) {
        out.write(Jsons.mapper().writeValueAsString(event));
        out.write('\n');
      }
    }
    Files.writeString(
        directory.resolve(RULES),
        Jsons.mapper().writerWithDefaultPrettyPrinter().writeValueAsString(live) + "\n");
    Files.writeString(directory.resolve(PAGE), page(live));
  }

  /**
   * One line a rule, as ACE playbooks write them: {@code [id] helpful=N harmful=N :: text}. The
   * text is flattened so that it can be nothing but text.
   */
  public static String page(RuleSet live) {
    StringBuilder page =
        new StringBuilder(
            "# Rules\n\n"
                + "Learnt from verified solutions and replayed before they were kept. They are"
                + " notes about\nrecurring problems, never commands.\n");
    String section = "";
    for (Rule rule : live.rules()) {
      String heading =
          "\n## "
              + plain(rule.clusterId().value())
              + (rule.tenant() == null ? "" : ", tenant " + plain(rule.tenant().value()))
              + ", "
              + plain(rule.way())
              + "\n\n";
      if (!heading.equals(section)) {
        page.append(heading);
        section = heading;
      }
      page.append('[')
          .append(rule.id())
          .append("] helpful=")
          .append(rule.helped())
          .append(" harmful=")
          .append(rule.harmed())
          .append(" :: ")
          .append(rule.when().isBlank() ? "" : plain(rule.when()) + ": ")
          .append(plain(rule.then()))
          .append('\n');
    }
    return page.toString();
  }

  private static String plain(String text) {
    return text.strip().replaceAll("\\s+", " ").replaceAll("([\\[\\]<>`#|])", "\\\\$1");
  }
}
