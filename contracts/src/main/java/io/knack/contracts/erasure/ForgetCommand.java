package io.knack.contracts.erasure;

import com.fasterxml.jackson.core.JsonProcessingException;
import io.knack.contracts.cli.HomeOptions;
import io.knack.contracts.store.Jsons;
import java.io.PrintWriter;
import java.time.Clock;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code forget}: erases a person and says what went, in a receipt. */
@Command(
    name = "forget",
    mixinStandardHelpOptions = true,
    description =
        "Erases a person: interactions, examples, episodes, evidence of rules; adapters that learnt"
            + " from them are named, taken out of serving and queued for training. Run again, it"
            + " completes an erasure that was cut off.",
    footer = {
      "",
      "Backups, the logs outside the workspace and what a tracking server has already received",
      "are not reached. A later import of the same logs leaves the person out.",
      "",
      "Example: ./knack forget --subject alice@example.org --json"
    })
public final class ForgetCommand implements Callable<Integer> {
  @Mixin HomeOptions home = new HomeOptions();

  @Option(
      names = "--subject",
      required = true,
      paramLabel = "ID",
      description = "the person, as the logs have it, or the salted hash")
  String subject = "";

  @Spec @Nullable CommandSpec spec;

  @Override
  public Integer call() throws JsonProcessingException {
    Receipt receipt = new Erasure(home.home, Clock.systemUTC()).forget(subject);
    if (spec == null) {
      throw new IllegalStateException("picocli injects the command's own description");
    }
    PrintWriter out = spec.commandLine().getOut();
    if (home.json) {
      out.println(Jsons.mapper().writeValueAsString(receipt));
    } else {
      print(out, receipt);
    }
    out.flush();
    return 0;
  }

  private static void print(PrintWriter out, Receipt receipt) {
    if (receipt.outcome().equals(Receipt.NOTHING_LEFT)) {
      out.println("nothing is left of this person; receipt " + receipt.receipt());
      return;
    }
    if (receipt.outcome().equals(Receipt.NOT_FOUND)) {
      out.println(
          "no interactions of this subject were found; nothing to erase (is it written as in the"
              + " logs?); receipt "
              + receipt.receipt());
      return;
    }
    out.println("erased; receipt " + receipt.receipt());
    receipt.counts().forEach((what, number) -> out.println("  " + what + ": " + number));
    out.println(
        receipt.adapters().isEmpty()
            ? "no adapter had learnt from this person"
            : "adapters taken away: "
                + String.join(", ", receipt.adapters())
                + "; queued for training: "
                + String.join(", ", receipt.retrain()));
    out.println(
        receipt.manifest() == null
            ? "serving had nothing of this person"
            : "serving: manifest " + receipt.manifest() + " is live without it");
  }
}
