package io.knack.evaluator.measure;

import io.knack.contracts.Example;
import io.knack.contracts.Manifest.Entry;
import io.knack.contracts.PriceBook;
import io.knack.contracts.Report.Evidence;
import io.knack.contracts.Report.Refusal;
import io.knack.contracts.Trial;
import io.knack.contracts.Verdict;
import io.knack.contracts.cli.Console;
import io.knack.contracts.id.ClusterId;
import io.knack.evaluator.gate.Gate;
import io.knack.evaluator.gate.GatePolicy;
import io.knack.evaluator.gate.Paired;
import io.knack.evaluator.gate.SequentialGate;
import io.knack.evaluator.statistics.ConfidenceBounds;
import io.knack.evaluator.statistics.PairedRows;
import io.knack.practice.route.Router;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Opens the sealed holdout, batch by batch, until the verdict on a manifest is settled.
 *
 * <p>The population is the holdout's problems of the clusters that have an entry, whether the
 * memory fires or not: later traffic, solved or not. The order is a seeded shuffle. The anchor set,
 * and problems of clusters without an entry, must not be harmed; where the memory does not fire
 * there the two sides are the same request and are not solved.
 *
 * <p>An entry whose own cluster shows harm is dropped; what is left is a new candidate and is
 * tested on the problems that were not looked at yet, at the next share of alpha. That is valid
 * because the new candidate was chosen on earlier problems only.
 */
final class HoldoutGate {
  private final Sides sides;
  private final Asker asker;
  private final CostCap caps;
  private final PriceBook prices;
  private final GatePolicy policy;
  private final EvaluatePlan.Sampling sampling;

  HoldoutGate(Sides sides, Asker asker, CostCap caps, EvaluatePlan plan) {
    this.sides = sides;
    this.asker = asker;
    this.caps = caps;
    this.prices = plan.prices();
    this.policy = plan.gate();
    this.sampling = plan.sampling();
  }

  /** Both sides of one problem. */
  record Pair(Asker.Answered baseline, Asker.Answered candidate, @Nullable ClusterId firedFor) {}

  /**
   * What the gate saw.
   *
   * @param entries those that were still in the candidate at the end
   * @param pairs of the last round, in the order of the test
   * @param outside anchor and other problems on which the manifest fired
   * @param looked problems over all rounds
   * @param available problems of the holdout that belong to the candidate's clusters
   */
  record Gated(
      Verdict verdict,
      Evidence evidence,
      List<Entry> entries,
      List<Refusal> dropped,
      List<Pair> pairs,
      List<Pair> outside,
      List<Trial> trials,
      long looked,
      long available) {

    /** The same measurements, and other entries with another verdict. */
    Gated with(List<Entry> others, Verdict other) {
      return new Gated(other, evidence, others, dropped, pairs, outside, trials, looked, available);
    }
  }

  /** Nothing to test: the holdout stays sealed. */
  Gated sealed(String rule) {
    return new Gated(
        new Verdict.Hold(rule),
        new SequentialGate(policy, 0, List.of(), 1).evidence(null),
        List.of(),
        List.of(),
        List.of(),
        List.of(),
        List.of(),
        0,
        0);
  }

  /**
   * @param holdout shuffled already
   * @param anchor problems of no cluster
   */
  Gated run(
      List<Entry> candidate,
      List<Example> holdout,
      List<Example> anchor,
      Console console,
      BooleanSupplier stop) {
    if (candidate.isEmpty()) {
      return sealed("no memory was worth its cost on validation; the holdout stays sealed");
    }
    List<Entry> entries = new ArrayList<>(candidate);
    List<Refusal> dropped = new ArrayList<>();
    List<Trial> trials = new ArrayList<>();
    Set<ClusterId> judged = clusters(entries);
    List<Example> own = holdout.stream().filter(e -> in(judged, e)).toList();
    List<Example> others = new ArrayList<>(anchor);
    holdout.stream().filter(e -> !in(judged, e)).limit(sampling.anchor()).forEach(others::add);
    int most = Math.min(sampling.holdout(), own.size());
    int next = 0;
    try (Console.Progress progress = console.progress("sealed holdout, pairs", 2L * most)) {
      for (int round = 0; ; round++) {
        Round result =
            new Round(entries, round, own, others.stream().toList(), next, most)
                .play(progress, stop, trials);
        next = result.next;
        @Nullable Entry culprit = result.culprit();
        if (culprit != null
            && round + 1 < GatePolicy.MAX_ROUNDS
            && entries.size() > 1
            && next < most) {
          dropped.add(
              new Refusal(
                  "cluster " + culprit.clusterId() + ", " + culprit.memory(),
                  "accuracy fell on its holdout problems"));
          entries.remove(culprit);
          continue;
        }
        Evidence evidence = result.gate.evidence(result.proved());
        return new Gated(
            Gate.decide(evidence, policy),
            evidence,
            List.copyOf(entries),
            dropped,
            result.pairs,
            result.outside,
            trials,
            next,
            own.size());
      }
    }
  }

  /** One candidate on problems that no earlier round looked at. */
  private final class Round {
    private final List<Entry> entries;
    private final List<Example> own;
    private final List<Example> others;
    private final int most;
    private final Router router;
    private final SequentialGate gate;
    private final List<String> slices;
    private final Set<ClusterId> clusters;
    private final int round;
    private final List<Pair> pairs = new ArrayList<>();
    private final List<Pair> outside = new ArrayList<>();
    private final List<PairedRows.Row> rows = new ArrayList<>();
    private int next;

    Round(
        List<Entry> entries,
        int round,
        List<Example> own,
        List<Example> others,
        int next,
        int most) {
      this.entries = List.copyOf(entries);
      this.round = round;
      this.own = own;
      this.others = others;
      this.next = next;
      this.most = most;
      this.router = sides.router(entries);
      this.clusters = HoldoutGate.clusters(entries);
      this.slices = slices(this.entries, own);
      this.gate = new SequentialGate(policy, round, slices, 1);
    }

    Round play(Console.Progress progress, BooleanSupplier stop, List<Trial> trials) {
      anchor(progress, trials);
      while (next < most && !gate.settled() && !stop.getAsBoolean()) {
        List<Example> look = own.subList(next, Math.min(most, next + sampling.look()));
        next += look.size();
        List<Pair> answered = ask(look.stream().filter(e -> in(clusters, e)).toList(), progress);
        for (Pair pair : answered) {
          trials.add(pair.baseline().trial());
          trials.add(pair.candidate().trial());
          if (!gate.settled()) {
            observe(pair);
          }
        }
        asker.forget();
      }
      return this;
    }

    private void anchor(Console.Progress progress, List<Trial> trials) {
      List<Example> fired = new ArrayList<>();
      for (Example example : others) {
        if (sides.routed(example, router, Memory.MANIFEST).question().fired()) {
          fired.add(example);
        } else {
          // The same request on both sides: the same answer.
          gate.observeAnchor(new Paired(0, 0, 1, true, true));
        }
      }
      for (Pair pair : ask(fired, progress)) {
        outside.add(pair);
        trials.add(pair.baseline().trial());
        trials.add(pair.candidate().trial());
        gate.observeAnchor(paired(pair));
      }
    }

    private List<Pair> ask(List<Example> examples, Console.Progress progress) {
      List<Question> questions = new ArrayList<>();
      List<Sides.Routed> routed = new ArrayList<>();
      for (Example example : examples) {
        Sides.Routed candidate = sides.routed(example, router, Memory.MANIFEST);
        routed.add(candidate);
        questions.add(sides.baseline(example));
        questions.add(candidate.question());
      }
      List<Asker.Answered> answers = asker.ask(questions, progress);
      List<Pair> pairs = new ArrayList<>();
      for (int i = 0; i < examples.size(); i++) {
        pairs.add(new Pair(answers.get(2 * i), answers.get(2 * i + 1), routed.get(i).cluster()));
      }
      return pairs;
    }

    private void observe(Pair pair) {
      pairs.add(pair);
      Paired paired = paired(pair);
      rows.add(
          new PairedRows.Row(
              Math.min(1, paired.baselineCost() / paired.candidateCap()),
              paired.candidateCost() / paired.candidateCap(),
              paired.difference()));
      List<Integer> memberOf = new ArrayList<>();
      for (String name : names(pair.baseline().question().example())) {
        int at = slices.indexOf(name);
        if (at >= 0) {
          memberOf.add(at);
        }
      }
      gate.observe(paired, memberOf.stream().mapToInt(Integer::intValue).toArray());
    }

    /** The entry whose cluster shows harm; null when there is none. */
    private @Nullable Entry culprit() {
      int harmed = gate.harmed();
      return entries.stream()
          .filter(e -> harmed >= 0 && slices.get(harmed).equals("cluster=" + e.clusterId()))
          .findFirst()
          .orElse(null);
    }

    private Paired paired(Pair pair) {
      Trial base = pair.baseline().trial();
      Trial cand = pair.candidate().trial();
      Question question = pair.candidate().question();
      return Paired.of(
          prices.cost(base.budget()),
          prices.cost(cand.budget()),
          caps.of(
              question.messages(),
              question.example().verifier().kind(),
              question.retrievalMicros()),
          base.passed(),
          cand.passed(),
          base.fault() != null,
          cand.fault() != null);
    }

    private @Nullable Double proved() {
      if (rows.isEmpty()) {
        return null;
      }
      double proved =
          ConfidenceBounds.provedSaving(new PairedRows(rows, 1, 1), policy.alphaOfRound(round));
      return proved <= 0 ? null : proved;
    }

    /** The clusters of the entries first, in their order; then tenants; then tags of the plan. */
    private List<String> slices(List<Entry> ofEntries, List<Example> problems) {
      Set<String> all = new LinkedHashSet<>();
      ofEntries.forEach(entry -> all.add("cluster=" + entry.clusterId()));
      Set<String> more = new LinkedHashSet<>();
      problems.stream().filter(e -> in(clusters, e)).forEach(e -> more.addAll(names(e)));
      long tenants = more.stream().filter(name -> name.startsWith("tenant=")).count();
      more.stream()
          .filter(name -> !name.startsWith("cluster="))
          .filter(name -> tenants > 1 || !name.startsWith("tenant="))
          .sorted()
          .forEach(all::add);
      return List.copyOf(all);
    }

    private List<String> names(Example example) {
      List<String> names = new ArrayList<>();
      names.add("cluster=" + example.clusterId());
      names.add("tenant=" + example.tenant());
      for (String tag : sampling.slices()) {
        @Nullable String value = example.tags().get(tag);
        if (value != null) {
          names.add(tag + "=" + value);
        }
      }
      return names;
    }
  }

  private static boolean in(Set<ClusterId> clusters, Example example) {
    return example.clusterId() != null
        && clusters.contains(Objects.requireNonNull(example.clusterId()));
  }

  private static Set<ClusterId> clusters(List<Entry> entries) {
    Set<ClusterId> ids = new HashSet<>();
    entries.forEach(entry -> ids.add(entry.clusterId()));
    return ids;
  }
}
