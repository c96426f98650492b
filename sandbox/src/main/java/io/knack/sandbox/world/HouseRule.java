package io.knack.sandbox.world;

import java.util.List;

/** What a policy does to a subtotal. */
public sealed interface HouseRule {
  /** As a solution and a rule book write it: {@code add 6}, say. */
  String text();

  /**
   * The steps from the subtotal to the total; the last ends in {@code =TOTAL} unless it decides.
   */
  Steps apply(int subtotal, int items);

  /** Lines of a solution and the amount they end with. */
  record Steps(List<String> lines, int total) {
    public Steps {
      lines = List.copyOf(lines);
    }
  }

  /** {@code a+b=c} and its like. */
  static String sum(int a, char operator, int b) {
    int c =
        switch (operator) {
          case '+' -> a + b;
          case '-' -> a - b;
          case '*' -> a * b;
          default -> throw new IllegalArgumentException("no such operator: " + operator);
        };
    return a + String.valueOf(operator) + b + "=" + c;
  }

  private static String comparison(int amount, int below) {
    return amount + (amount < below ? "<" : ">=") + below;
  }

  /** A flat charge. */
  record Add(int amount) implements HouseRule {
    @Override
    public String text() {
      return "add " + amount;
    }

    @Override
    public Steps apply(int subtotal, int items) {
      return new Steps(List.of(sum(subtotal, '+', amount)), subtotal + amount);
    }
  }

  /** A flat discount. */
  record Take(int amount) implements HouseRule {
    @Override
    public String text() {
      return "take " + amount;
    }

    @Override
    public Steps apply(int subtotal, int items) {
      return new Steps(List.of(sum(subtotal, '-', amount)), subtotal - amount);
    }
  }

  /** A charge for each item. */
  record AddEach(int amount) implements HouseRule {
    @Override
    public String text() {
      return "add " + amount + " each";
    }

    @Override
    public Steps apply(int subtotal, int items) {
      int charge = items * amount;
      return new Steps(
          List.of(sum(items, '*', amount), sum(subtotal, '+', charge)), subtotal + charge);
    }
  }

  /** A charge below a threshold, a discount from it on. */
  record Threshold(int below, int add, int take) implements HouseRule {
    @Override
    public String text() {
      return "below " + below + " add " + add + ", else take " + take;
    }

    @Override
    public Steps apply(int subtotal, int items) {
      boolean small = subtotal < below;
      return new Steps(
          List.of(
              comparison(subtotal, below),
              small ? sum(subtotal, '+', add) : sum(subtotal, '-', take)),
          small ? subtotal + add : subtotal - take);
    }
  }

  /** A fee, then the exchange rate of two. */
  record FeeThenDouble(int fee) implements HouseRule {
    @Override
    public String text() {
      return "add " + fee + ", then double";
    }

    @Override
    public Steps apply(int subtotal, int items) {
      int paid = subtotal + fee;
      return new Steps(List.of(sum(subtotal, '+', fee), sum(paid, '*', 2)), paid * 2);
    }
  }

  /** The exchange rate of two, then a fee. */
  record DoubleThenFee(int fee) implements HouseRule {
    @Override
    public String text() {
      return "double, then add " + fee;
    }

    @Override
    public Steps apply(int subtotal, int items) {
      int doubled = subtotal * 2;
      return new Steps(List.of(sum(subtotal, '*', 2), sum(doubled, '+', fee)), doubled + fee);
    }
  }

  /** A discount, then shipping if what is left is small: the first rule decides the second. */
  record TakeThenShip(int take, int below, int add) implements HouseRule {
    @Override
    public String text() {
      return "take " + take + ", then below " + below + " add " + add;
    }

    @Override
    public Steps apply(int subtotal, int items) {
      int left = subtotal - take;
      return left < below
          ? new Steps(
              List.of(sum(subtotal, '-', take), comparison(left, below), sum(left, '+', add)),
              left + add)
          : new Steps(List.of(sum(subtotal, '-', take), comparison(left, below)), left);
    }
  }
}
