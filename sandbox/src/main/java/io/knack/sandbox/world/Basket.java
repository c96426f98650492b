package io.knack.sandbox.world;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * What is bought, by whom, for what.
 *
 * @param other a second kind of goods; empty where the structure has none
 * @param numbers by the names of the structure's places
 */
record Basket(
    Structure structure, String person, String goods, String other, Map<String, Integer> numbers) {
  Basket {
    numbers = Map.copyOf(numbers);
  }

  private int number(String name) {
    return Objects.requireNonNull(numbers.get(name), name);
  }

  /** The steps to the subtotal. */
  HouseRule.Steps subtotal() {
    return switch (structure) {
      case ORDER -> {
        int s = number("q") * number("p");
        yield new HouseRule.Steps(List.of(HouseRule.sum(number("q"), '*', number("p"))), s);
      }
      case RETURNS -> {
        int kept = number("q") - number("r");
        yield new HouseRule.Steps(
            List.of(
                HouseRule.sum(number("q"), '-', number("r")),
                HouseRule.sum(kept, '*', number("p"))),
            kept * number("p"));
      }
      case BUNDLE ->
          new HouseRule.Steps(
              List.of(HouseRule.sum(number("a"), '+', number("b"))), number("a") + number("b"));
      case TRADE -> {
        int s = number("q") * number("p");
        yield new HouseRule.Steps(
            List.of(
                HouseRule.sum(number("q"), '*', number("p")), HouseRule.sum(s, '-', number("r"))),
            s - number("r"));
      }
    };
  }

  /** How many things a charge "each" counts. */
  int items() {
    return switch (structure) {
      case ORDER, TRADE -> number("q");
      case RETURNS -> number("q") - number("r");
      case BUNDLE -> 2;
    };
  }

  String text(int wording) {
    Map<String, String> values = new HashMap<>();
    values.put("P", person);
    values.put("G", goods);
    values.put("H", other);
    numbers.forEach((name, value) -> values.put(name, Integer.toString(value)));
    return structure.wording(wording).fill(values);
  }

  static Basket read(Structure structure, Map<String, String> values) {
    Map<String, Integer> numbers = new HashMap<>();
    values.forEach(
        (name, value) -> {
          if (Character.isLowerCase(name.charAt(0))) {
            numbers.put(name, Integer.valueOf(value));
          }
        });
    return new Basket(
        structure,
        values.getOrDefault("P", ""),
        values.getOrDefault("G", ""),
        values.getOrDefault("H", ""),
        numbers);
  }
}
