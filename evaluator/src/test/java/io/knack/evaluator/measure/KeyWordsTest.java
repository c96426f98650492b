package io.knack.evaluator.measure;

import static org.assertj.core.api.Assertions.assertThat;

import io.knack.contracts.Example;
import io.knack.contracts.Message;
import io.knack.contracts.Split;
import io.knack.contracts.VerifierSpec;
import io.knack.contracts.id.ClusterId;
import io.knack.contracts.id.ExampleId;
import io.knack.contracts.id.InteractionId;
import io.knack.contracts.id.TenantId;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

final class KeyWordsTest {
  private static final List<String> PEOPLE = List.of("Ana", "Ben", "Cleo", "Dan", "Eva", "Finn");
  private static final List<String> GOODS = List.of("mugs", "lamps", "books", "pens", "hats");
  private final SplittableRandom random = new SplittableRandom(5);

  @Test
  void aNameIsWhatNearlyAllSayAndNobodyElse() {
    List<Example> problems = new ArrayList<>(strangers());
    problems.addAll(problems("coral", "Coral Quarry", 12, null));
    problems.addAll(problems("amber", "Amber Dune", 12, null));
    problems.addAll(problems("jade", "Jade Tower", 12, null));
    // A trap that mining took for one of coral's own.
    problems.addAll(problems("coral", "Velvet Meadow", 1, null));
    Map<ClusterId, KeyWords.Name> names = new KeyWords(problems).find();
    assertThat(keys(names, "coral")).containsExactly("coral", "quarry");
    assertThat(keys(names, "amber")).containsExactly("amber", "dune");
    assertThat(keys(names, "jade")).containsExactly("jade", "tower");
  }

  @Test
  void aWordingIsNoPartOfTheNameWhereTheSameKnowledgeDoesWithoutIt() {
    List<Example> problems = new ArrayList<>(strangers());
    problems.addAll(wordings("orders", "Coral Quarry", "lists", 8, "add 6"));
    problems.addAll(wordings("returns", "Coral Quarry", "refunds", 8, "add 6"));
    problems.addAll(wordings("small", "Coral Quarry", "lists", 2, "add 6"));
    problems.addAll(wordings("other", "Velvet Wharf", "lists", 2, "add 6"));
    problems.addAll(wordings("amber-lists", "Amber Dune", "lists", 8, "take 3"));
    problems.addAll(wordings("jade-lists", "Jade Tower", "lists", 8, "add 6"));
    problems.addAll(wordings("opal", "Opal Mill", "lists", 12, "take 5"));
    problems.addAll(wordings("iris", "Iris Forge", "refunds", 12, "take 7"));
    Map<ClusterId, KeyWords.Name> names = new KeyWords(problems).find();
    assertThat(keys(names, "orders")).containsExactly("coral", "quarry");
    assertThat(keys(names, "returns")).containsExactly("coral", "quarry");
    assertThat(keys(names, "small")).containsExactly("coral", "quarry");
    assertThat(keys(names, "other")).isEmpty();
    // Nothing was seen of it in other words: it stays narrow, and keeps its name, although jade's
    // problems are solved with the same line as coral's.
    assertThat(keys(names, "jade-lists")).contains("jade", "tower");
    assertThat(keys(names, "amber-lists")).contains("amber", "dune");
  }

  @Test
  void whereTooLittleWasSeenThereIsNoName() {
    List<Example> problems = new ArrayList<>(strangers());
    Example once = problems("once", "Coral Quarry", 1, null).get(0);
    problems.addAll(List.of(once, once, once, once));
    for (String text : List.of("Ana buys hats", "Ben wants pens", "who sells mugs", "how much")) {
      problems.add(example("plain", text, null));
    }
    problems.addAll(problems("other", "Amber Dune", 9, null));
    Map<ClusterId, KeyWords.Name> names = new KeyWords(problems).find();
    assertThat(keys(names, "once")).isEmpty();
    assertThat(keys(names, "plain")).isEmpty();
  }

  @Test
  void aTriggerWithANameIsAsLooseAsMisfiresAllow() {
    EvaluatePlan.Triggers limits = new EvaluatePlan.Triggers(0.9, 0.02, 0.5);
    List<Double> own = List.of(0.6, 0.7, 0.8, 0.9);
    TriggerFit fit = TriggerFit.named(own, 5, List.of(), 100, limits);
    assertThat(fit.floor()).isEqualTo(0.3);
    assertThat(fit.recall()).isEqualTo(0.8);
    assertThat(fit.misfires()).isZero();
    TriggerFit tighter = TriggerFit.named(own, 4, List.of(0.65, 0.64, 0.63, 0.2), 100, limits);
    assertThat(tighter.floor()).isBetween(0.63, 0.64);
    assertThat(tighter.misfires()).isEqualTo(0.02);
    assertThat(TriggerFit.named(List.of(), 4, List.of(), 100, limits).recall()).isZero();
  }

  private static List<String> keys(Map<ClusterId, KeyWords.Name> names, String cluster) {
    return names.getOrDefault(new ClusterId(cluster), KeyWords.Name.NONE).keys();
  }

  private List<Example> strangers() {
    List<Example> strangers = new ArrayList<>();
    for (int i = 0; i < 60; i++) {
      String name = "Place" + (char) ('a' + random.nextInt(26)) + " Yard";
      strangers.add(example(null, problem(name), null));
    }
    return strangers;
  }

  private List<Example> problems(
      String cluster, String name, int count, @Nullable String knowledge) {
    List<Example> problems = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      problems.add(example(cluster, problem(name), knowledge));
    }
    return problems;
  }

  private List<Example> wordings(
      String cluster, String name, String verb, int count, String knowledge) {
    List<Example> problems = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      String text = "An order at " + name + " " + verb + " " + random.nextInt(2, 90) + " things";
      problems.add(example(cluster, text, knowledge));
    }
    return problems;
  }

  private Example example(@Nullable String cluster, String text, @Nullable String knowledge) {
    String id = "e-" + random.nextLong();
    return new Example(
        new ExampleId(id),
        cluster == null ? null : new ClusterId(cluster),
        List.of(new InteractionId(id)),
        Instant.EPOCH,
        null,
        new TenantId("t"),
        null,
        Map.of(),
        List.of(Message.user(text)),
        knowledge == null ? null : "7*4=28\n" + knowledge + "\nA: " + random.nextInt(900),
        null,
        new VerifierSpec("numeric", Map.of()),
        1,
        1,
        Split.TRAIN);
  }

  private String problem(String name) {
    String person = PEOPLE.get(random.nextInt(PEOPLE.size()));
    String goods = GOODS.get(random.nextInt(GOODS.size()));
    int n = random.nextInt(2, 90);
    return random.nextBoolean()
        ? "At " + name + ": " + person + " buys " + n + " " + goods + ". " + name + " rules apply."
        : "For " + name + ", " + n + " " + goods + " are ordered by " + person + "; total?";
  }
}
