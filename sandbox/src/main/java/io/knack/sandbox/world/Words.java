package io.knack.sandbox.world;

import java.util.List;
import java.util.SplittableRandom;

/** The words that the shop's problems are made of. No word says anything about a house rule. */
public final class Words {
  public static final List<String> PEOPLE =
      List.of(
          "Ana", "Ben", "Cleo", "Dan", "Eva", "Finn", "Gus", "Hana", "Ivan", "Jana", "Kurt", "Lea",
          "Milo", "Nina", "Otto", "Pia", "Rosa", "Sam", "Tara", "Uma", "Vera", "Will", "Yara",
          "Zoe");
  public static final List<String> GOODS =
      List.of(
          "mugs", "lamps", "books", "pens", "chairs", "plates", "scarves", "candles", "bowls",
          "clocks", "towels", "baskets", "kites", "stools", "vases", "spoons", "hats", "rugs",
          "jars", "ropes");
  public static final List<String> FIRST =
      List.of(
          "Maple", "Silver", "Copper", "Amber", "Cedar", "Coral", "Ivory", "Jade", "Olive",
          "Scarlet", "Velvet", "Willow", "Crimson", "Hazel", "Indigo", "Juniper", "Lemon", "Marble",
          "Nutmeg", "Opal", "Pepper", "Quartz", "Russet", "Saffron", "Topaz", "Umber", "Violet",
          "Walnut", "Zephyr", "Barley", "Clover", "Dahlia", "Ember", "Fennel", "Ginger", "Heather",
          "Iris", "Kelp", "Linen", "Mango");
  public static final List<String> SECOND =
      List.of(
          "Harbor",
          "Garden",
          "Lantern",
          "Anchor",
          "Bridge",
          "Canyon",
          "Dune",
          "Falcon",
          "Grove",
          "Hollow",
          "Island",
          "Junction",
          "Knoll",
          "Lagoon",
          "Meadow",
          "Nook",
          "Orchard",
          "Prairie",
          "Quarry",
          "Ridge",
          "Summit",
          "Tower",
          "Valley",
          "Wharf",
          "Yard",
          "Beacon",
          "Cottage",
          "Delta",
          "Estate",
          "Forge",
          "Glacier",
          "Heron",
          "Inlet",
          "Kiln",
          "Ledge",
          "Mill",
          "Needle",
          "Outpost",
          "Pier",
          "Rapids");

  private Words() {}

  static <T> T pick(List<T> from, SplittableRandom random) {
    return from.get(random.nextInt(from.size()));
  }

  /** From {@code low} to {@code high}, both included. */
  public static int between(int low, int high, SplittableRandom random) {
    return random.nextInt(low, high + 1);
  }

  /** A policy's name: two words that carry no information. */
  public static String policyName(SplittableRandom random) {
    return pick(FIRST, random) + " " + pick(SECOND, random);
  }
}
