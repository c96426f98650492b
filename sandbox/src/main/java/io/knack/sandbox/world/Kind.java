package io.knack.sandbox.world;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Kinds of house rule. A problem names policy and kind ("Maple Harbor wrapping"); the constants are
 * known to the shop alone.
 */
public enum Kind {
  /** One constant, added. */
  SHIPPING("shipping"),
  /** One constant, taken off. */
  DISCOUNT("discount"),
  /** One constant for each item. */
  WRAPPING("wrapping"),
  /** A threshold between a surcharge and a discount. */
  DELIVERY("delivery"),
  /** A fee and a doubling, in an order that matters. */
  EXCHANGE("exchange"),
  /** A discount that decides whether shipping is due. */
  MEMBERSHIP("membership"),
  /** No house rule: all amounts stand in the problem, and no memory helps. */
  PLAIN("");

  /** All but {@link #PLAIN}. */
  public static final List<Kind> HOUSE = Stream.of(values()).filter(kind -> kind != PLAIN).toList();

  private final String word;

  Kind(String word) {
    this.word = word;
  }

  /** As the problem calls it; empty for {@link #PLAIN}. */
  public String word() {
    return word;
  }

  /** Every rule of this kind; a policy has any of them with equal probability. */
  public List<HouseRule> rules() {
    return switch (this) {
      case SHIPPING ->
          IntStream.rangeClosed(3, 10).<HouseRule>mapToObj(HouseRule.Add::new).toList();
      case DISCOUNT ->
          IntStream.rangeClosed(2, 9).<HouseRule>mapToObj(HouseRule.Take::new).toList();
      case WRAPPING ->
          IntStream.rangeClosed(2, 8).<HouseRule>mapToObj(HouseRule.AddEach::new).toList();
      case DELIVERY -> {
        List<HouseRule> all = new ArrayList<>();
        for (int below : List.of(20, 25, 30, 35)) {
          for (int add = 3; add <= 7; add++) {
            for (int take = 2; take <= 6; take++) {
              all.add(new HouseRule.Threshold(below, add, take));
            }
          }
        }
        yield all;
      }
      case EXCHANGE -> {
        List<HouseRule> all = new ArrayList<>();
        for (int fee = 2; fee <= 5; fee++) {
          all.add(new HouseRule.FeeThenDouble(fee));
          all.add(new HouseRule.DoubleThenFee(fee));
        }
        yield all;
      }
      case MEMBERSHIP -> {
        List<HouseRule> all = new ArrayList<>();
        for (int take = 2; take <= 5; take++) {
          for (int below : List.of(20, 30)) {
            for (int add : List.of(4, 6, 8)) {
              all.add(new HouseRule.TakeThenShip(take, below, add));
            }
          }
        }
        yield all;
      }
      case PLAIN -> throw new IllegalStateException("plain arithmetic has no house rule");
    };
  }

  public HouseRule draw(SplittableRandom random) {
    return Words.pick(rules(), random);
  }
}
