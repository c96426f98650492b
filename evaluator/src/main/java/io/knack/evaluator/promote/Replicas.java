package io.knack.evaluator.promote;

import io.knack.contracts.Manifest;
import io.knack.contracts.Manifest.AdapterRef;
import io.knack.contracts.cli.Console;
import io.knack.contracts.plan.KeyVariable;
import io.knack.contracts.stage.TemporaryException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * The vLLM servers of a plan: loads and unloads adapters, and believes {@code /v1/models} alone.
 */
final class Replicas {
  private final Path serving;
  private final PromotePlan plan;
  private final List<Replica> replicas;
  private final Console console;
  private final Runnable beforeEachStep;

  Replicas(Path serving, PromotePlan plan, Console console, Runnable beforeEachStep) {
    this.serving = serving;
    this.plan = plan;
    this.console = console;
    this.beforeEachStep = beforeEachStep;
    String key = KeyVariable.read(plan.keyVariable(), System.getenv());
    this.replicas = plan.replicas().stream().map(a -> new Replica(a, key, plan.timeout())).toList();
  }

  /**
   * Loads what a manifest names on every replica; all replicas are tried before it gives up.
   *
   * @param inForce the live manifest's number, in words
   * @throws TemporaryException saying what is live where, when any lacks an adapter
   */
  void load(Manifest manifest, String inForce) throws InterruptedException {
    List<AdapterRef> wanted = Promotion.adapters(manifest);
    Map<String, String> states = new LinkedHashMap<>();
    boolean complete = true;
    for (Replica replica : replicas) {
      beforeEachStep.run();
      List<String> problems = new ArrayList<>();
      Set<String> there = new TreeSet<>();
      try {
        there.addAll(replica.models());
        for (AdapterRef ref : wanted) {
          if (!there.contains(ref.name())) {
            try {
              replica.load(ref.name(), servedPath(ref));
            } catch (IOException e) {
              problems.add(ref.name() + ": " + e.getMessage());
            }
          }
        }
        there = replica.models();
      } catch (IOException e) {
        problems.add(String.valueOf(e.getMessage() == null ? e : e.getMessage()));
      }
      Set<String> seen = there;
      List<String> missing =
          wanted.stream().map(AdapterRef::name).filter(name -> !seen.contains(name)).toList();
      complete &= missing.isEmpty() && problems.isEmpty();
      states.put(
          replica.address(),
          "has "
              + (wanted.size() - missing.size())
              + " of "
              + wanted.size()
              + (missing.isEmpty() ? "" : ", lacks " + String.join(", ", missing))
              + (problems.isEmpty() ? "" : " (" + String.join("; ", problems) + ")"));
    }
    if (!complete) {
      throw new TemporaryException(
          "not every replica has the adapters; run it again to complete it. Manifest in force: "
              + inForce
              + describe(states));
    }
  }

  private static String describe(Map<String, String> states) {
    StringBuilder text = new StringBuilder();
    states.forEach(
        (replica, state) -> text.append("\n  ").append(replica).append(' ').append(state));
    return text.toString();
  }

  private String servedPath(AdapterRef ref) {
    return plan.servedPath() == null
        ? serving.resolve(ref.path()).toAbsolutePath().normalize().toString()
        : plan.servedPath().replaceAll("/+$", "") + "/" + ref.name();
  }

  /** Adapters of earlier manifests that this one does not name. A failure is told, not fatal. */
  List<String> unload(Manifest manifest, List<Manifest> history) throws InterruptedException {
    if (replicas.isEmpty()) {
      return List.of();
    }
    Set<String> keep = new TreeSet<>();
    Promotion.adapters(manifest).forEach(ref -> keep.add(ref.name()));
    Set<String> old = new TreeSet<>();
    for (Manifest earlier : history) {
      Promotion.adapters(earlier).forEach(ref -> old.add(ref.name()));
    }
    old.removeAll(keep);
    List<String> notes = new ArrayList<>();
    for (Replica replica : replicas) {
      try {
        for (String name : replica.models()) {
          if (old.contains(name)) {
            beforeEachStep.run();
            replica.unload(name);
          }
        }
      } catch (IOException e) {
        String note = replica.address() + " still holds old adapters: " + e.getMessage();
        notes.add(note);
        console.say("promote: " + note);
      }
    }
    return notes;
  }
}
