package io.knack.sandbox.world;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/**
 * One word problem.
 *
 * @param policy the name of its house rule; empty for {@link Kind#PLAIN}
 * @param stated the charge that a plain problem states (negative for a coupon); 0 otherwise
 * @param wording below {@link Structure#WORDINGS}
 */
public record Problem(Basket basket, Kind kind, String policy, int stated, int wording) {

  private static final List<Wording> OPENING =
      List.of(new Wording("At {N}: "), new Wording("{N}. "), new Wording("For {N}: "));
  private static final List<Wording> HOUSE =
      List.of(
          new Wording(" {N} {K} applies. What is to pay?"),
          new Wording(" Use {N} {K}. Total?"),
          new Wording(" With {N} {K}, how much is it?"));
  private static final List<Wording> CHARGE =
      List.of(
          new Wording(" Postage is {c}. What is to pay?"),
          new Wording(" Add postage of {c}. Total?"),
          new Wording(" With {c} for postage, how much is it?"));
  private static final List<Wording> COUPON =
      List.of(
          new Wording(" A coupon takes {c} off. What is to pay?"),
          new Wording(" Use a coupon of {c}. Total?"),
          new Wording(" With a coupon of {c}, how much is it?"));

  /** A problem under a house rule, or a plain one when the kind is plain. */
  public static Problem draw(
      Structure structure, Kind kind, String policy, SplittableRandom random) {
    Basket basket = structure.draw(random);
    int stated =
        kind == Kind.PLAIN
            ? random.nextBoolean() ? Words.between(2, 10, random) : -Words.between(2, 9, random)
            : 0;
    return new Problem(basket, kind, policy, stated, random.nextInt(Structure.WORDINGS));
  }

  public Structure structure() {
    return basket.structure();
  }

  /** The same question in other words. */
  public Problem reworded(int newWording) {
    return new Problem(basket, kind, policy, stated, newWording);
  }

  /** The same words under another policy of any kind but plain: the trap. */
  public Problem under(String otherPolicy, Kind otherKind) {
    return new Problem(basket, otherKind, otherPolicy, 0, wording);
  }

  /** As a customer asks it. */
  public String text() {
    Map<String, String> values =
        Map.of("N", policy, "K", kind.word(), "c", Integer.toString(Math.abs(stated)));
    if (kind == Kind.PLAIN) {
      return basket.text(wording) + (stated > 0 ? CHARGE : COUPON).get(wording).fill(values);
    }
    return OPENING.get(wording).fill(values)
        + basket.text(wording)
        + HOUSE.get(wording).fill(values);
  }

  /** Reads a problem, whatever stands around it; empty when it is none of the shop's. */
  public static Optional<Problem> read(String text) {
    for (Structure structure :
        List.of(Structure.TRADE, Structure.RETURNS, Structure.BUNDLE, Structure.ORDER)) {
      for (int wording = 0; wording < Structure.WORDINGS; wording++) {
        Optional<Map<String, String>> basket = structure.wording(wording).read(text);
        if (basket.isEmpty()) {
          continue;
        }
        Optional<Problem> problem = close(Basket.read(structure, basket.get()), wording, text);
        if (problem.isPresent()) {
          return problem;
        }
      }
    }
    return Optional.empty();
  }

  private static Optional<Problem> close(Basket basket, int wording, String text) {
    Optional<Map<String, String>> house = HOUSE.get(wording).read(text);
    if (house.isPresent()) {
      Map<String, String> values = house.get();
      String word = Objects.requireNonNull(values.get("K"));
      return Kind.HOUSE.stream()
          .filter(kind -> kind.word().equals(word))
          .findFirst()
          .map(
              kind ->
                  new Problem(basket, kind, Objects.requireNonNull(values.get("N")), 0, wording));
    }
    return CHARGE
        .get(wording)
        .read(text)
        .map(values -> number(values))
        .or(() -> COUPON.get(wording).read(text).map(values -> -number(values)))
        .map(stated -> new Problem(basket, Kind.PLAIN, "", stated, wording));
  }

  private static int number(Map<String, String> values) {
    return Integer.parseInt(Objects.requireNonNull(values.get("c")));
  }

  /**
   * The chain of short steps to the answer under a rule.
   *
   * @param rule the right one, or a guess; null for a plain problem
   */
  public Solution solve(@Nullable HouseRule rule) {
    HouseRule.Steps subtotal = basket.subtotal();
    List<String> lines = new ArrayList<>(subtotal.lines());
    int ruleAt = -1;
    HouseRule.Steps rest;
    if (kind == Kind.PLAIN) {
      HouseRule given =
          stated > 0 ? new HouseRule.Add(stated) : new HouseRule.Take(Math.abs(stated));
      rest = given.apply(subtotal.total(), basket.items());
    } else {
      HouseRule house = Objects.requireNonNull(rule, "a house-rule problem needs a rule");
      ruleAt = lines.size();
      lines.add(house.text());
      rest = house.apply(subtotal.total(), basket.items());
    }
    lines.addAll(rest.lines());
    lines.add("A: " + rest.total());
    return new Solution(lines, ruleAt, rest.total());
  }

  /**
   * A worked solution.
   *
   * @param lines steps and, last, the answer line
   * @param ruleAt index of the line that states the house rule; -1 when there is none
   */
  public record Solution(List<String> lines, int ruleAt, int answer) {
    public Solution {
      lines = List.copyOf(lines);
    }

    public String text() {
      return String.join("\n", lines);
    }
  }

  /** What a rule book calls the occasion: {@code if Maple Harbor wrapping}. */
  public static String occasion(String policy, Kind kind) {
    return "if " + policy + " " + kind.word();
  }
}
