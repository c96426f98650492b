package io.knack.sandbox.world;

import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.Stream;

/** How a subtotal comes about. Each has several wordings, which S2 exchanges. */
public enum Structure {
  /** A number of things at a price. */
  ORDER(
      "{P} buys {q} {G} at {p} each.",
      "{q} {G} at {p} each are ordered by {P}.",
      "An order of {P} lists {q} {G}, each for {p}."),
  /** Some of them come back. */
  RETURNS(
      "{P} buys {q} {G} at {p} each and returns {r}.",
      "{r} of {q} {G} at {p} each are returned by {P}.",
      "An order of {P} lists {q} {G}, each for {p}, and {r} came back."),
  /** Two amounts. */
  BUNDLE(
      "{P} buys {G} for {a} and {H} for {b}.",
      "{G} for {a} and {H} for {b} are ordered by {P}.",
      "An order of {P} lists {G}, in all {a}, and {H}, in all {b}."),
  /** Something old is taken in payment. */
  TRADE(
      "{P} buys {q} {G} at {p} each and trades in {H} worth {r}.",
      "{H} worth {r} are traded in by {P} for {q} {G} at {p} each.",
      "An order of {P} lists {q} {G}, each for {p}, less old {H} worth {r}.");

  /** Wordings of each structure. */
  public static final int WORDINGS = 3;

  private static final int LEAST = 10;
  private static final int MOST = 45;

  @SuppressWarnings("ImmutableEnumChecker") // Stream.toList() cannot be changed.
  private final List<Wording> wordings;

  Structure(String... wordings) {
    this.wordings = Stream.of(wordings).map(Wording::new).toList();
  }

  Wording wording(int index) {
    return wordings.get(index);
  }

  /** New numbers and names; the subtotal is from 10 to 45. */
  Basket draw(SplittableRandom random) {
    while (true) {
      String person = Words.pick(Words.PEOPLE, random);
      String goods = Words.pick(Words.GOODS, random);
      String other = Words.pick(Words.GOODS, random);
      Basket basket =
          switch (this) {
            case ORDER ->
                new Basket(
                    this,
                    person,
                    goods,
                    "",
                    Map.of("q", Words.between(2, 6, random), "p", Words.between(3, 9, random)));
            case RETURNS ->
                new Basket(
                    this,
                    person,
                    goods,
                    "",
                    Map.of(
                        "q", Words.between(4, 7, random),
                        "p", Words.between(3, 9, random),
                        "r", Words.between(1, 3, random)));
            case BUNDLE ->
                new Basket(
                    this,
                    person,
                    goods,
                    other,
                    Map.of("a", Words.between(4, 20, random), "b", Words.between(4, 20, random)));
            case TRADE ->
                new Basket(
                    this,
                    person,
                    goods,
                    other,
                    Map.of(
                        "q", Words.between(3, 6, random),
                        "p", Words.between(4, 9, random),
                        "r", Words.between(3, 9, random)));
          };
      int subtotal = basket.subtotal().total();
      if (subtotal >= LEAST && subtotal <= MOST && !goods.equals(other)) {
        return basket;
      }
    }
  }
}
