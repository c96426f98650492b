package io.knack.sandbox.world;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.stream.IntStream;

/**
 * Families of problems and the traffic that they make, day by day: popular families are asked more
 * (Zipf), new ones appear, old ones fade, two policies change their rule, some questions come once
 * and never again, some only look familiar, and one user's logs lie.
 */
public final class World {
  /** Day on which one policy changes its rule. */
  public static final int FIRST_DRIFT_DAY = 2;

  /** Day on which another does. */
  public static final int SECOND_DRIFT_DAY = 5;

  public static final List<String> TENANTS = List.of("north", "south");

  private static final Instant EPOCH = Instant.parse("2026-01-05T08:00:00Z");
  private static final int POLICIES = 10;
  private static final int LATER_POLICIES = 8;
  private static final int PLAIN_FAMILIES = 2;
  private static final int CORE = 6;
  private static final int FAR = 1_000_000;
  private static final double ZIPF = 0.7;
  private static final int NOISE_PERCENT = 4;
  private static final int CHATTER_PERCENT = 1;
  private static final int TRAP_PERCENT = 6;
  private static final int PERSONAL_PERCENT = 4;
  private static final int POISON_PERCENT = 12;
  private static final List<String> CHATTER =
      List.of(
          "When do you open on Sunday?",
          "My parcel is late, where is it?",
          "Do you have these in blue?",
          "Please delete my account.");

  private final long seed;
  private final Shop shop;
  private final List<Family> families;

  public World(long seed) {
    this.seed = seed;
    this.shop = Shop.of(seed);
    this.families = families(seed);
  }

  public Shop shop() {
    return shop;
  }

  public List<Family> families() {
    return families;
  }

  /** In the order of their change. */
  static Set<String> driftingPolicies(long seed) {
    List<String> names = policyNames(seed);
    return new LinkedHashSet<>(List.of(names.get(1), names.get(4)));
  }

  /** Names of the recurring policies; no word occurs in two of them. */
  private static List<String> policyNames(long seed) {
    SplittableRandom random = new SplittableRandom(seed ^ 0x5EED);
    Set<String> words = new TreeSet<>();
    List<String> names = new ArrayList<>();
    while (names.size() < POLICIES + LATER_POLICIES) {
      String name = Words.policyName(random);
      List<String> parts = List.of(name.split(" ", 2));
      if (parts.stream().noneMatch(words::contains)) {
        words.addAll(parts);
        names.add(name);
      }
    }
    return names;
  }

  private static List<Family> families(long seed) {
    SplittableRandom random = new SplittableRandom(seed ^ 0xFA111E5);
    List<String> names = policyNames(seed);
    List<Family> families = new ArrayList<>();
    int rank = 0;
    for (int i = 0; i < names.size(); i++) {
      boolean later = i >= POLICIES;
      int first = later ? 2 + (i - POLICIES) : 1;
      int last = !later && i % 5 == 3 ? 4 + i / 2 : FAR;
      Kind kind = Kind.HOUSE.get(i % Kind.HOUSE.size());
      Structure structure = pick(Structure.values(), random);
      rank++;
      families.add(
          family(families.size(), names.get(i), kind, structure, first, last, rank, random));
      if (i % 5 == 0) {
        Structure second = pick(Structure.values(), random);
        while (second == structure) {
          second = pick(Structure.values(), random);
        }
        rank++;
        families.add(
            family(families.size(), names.get(i), kind, second, first, last, rank, random));
      }
      if (i % 5 == 2 && !later && i / 5 < PLAIN_FAMILIES) {
        rank++;
        families.add(
            family(
                families.size(),
                "",
                Kind.PLAIN,
                pick(Structure.values(), random),
                1,
                FAR,
                rank,
                random));
      }
    }
    return List.copyOf(families);
  }

  private static Structure pick(Structure[] structures, SplittableRandom random) {
    return structures[random.nextInt(structures.length)];
  }

  private static Family family(
      int number,
      String policy,
      Kind kind,
      Structure structure,
      int first,
      int last,
      int rank,
      SplittableRandom random) {
    // A policy belongs to one shop: its tenant follows from its name.
    String tenant =
        TENANTS.get(Math.floorMod(policy.isEmpty() ? number : policy.hashCode(), TENANTS.size()));
    List<String> users =
        IntStream.range(0, 8 + random.nextInt(5))
            .mapToObj(u -> "u%03d@%s".formatted(random.nextInt(400), tenant))
            .distinct()
            .toList();
    List<Problem> core = new ArrayList<>();
    for (int i = 0; i < CORE; i++) {
      core.add(Problem.draw(structure, kind, policy, random));
    }
    return new Family(
        "f%02d".formatted(number), tenant, policy, kind, structure, first, last, rank, users, core);
  }

  /** The traffic of a day, in order of time. */
  public List<Request> day(int day, int requests) {
    SplittableRandom random = new SplittableRandom(seed * 7_919 + day);
    List<Family> active = families.stream().filter(f -> f.active(day)).toList();
    double[] weights = active.stream().mapToDouble(f -> Math.pow(f.rank(), -ZIPF)).toArray();
    List<Request> traffic = new ArrayList<>();
    for (int i = 0; i < requests; i++) {
      Instant at =
          EPOCH
              .plus(Duration.ofDays(day - 1L))
              .plusMillis(random.nextLong(Duration.ofHours(12).toMillis()));
      traffic.add(request(day, i, at, active, weights, random));
    }
    traffic.sort(Comparator.comparing(Request::occurredAt).thenComparing(Request::id));
    return traffic;
  }

  private Request request(
      int day,
      int number,
      Instant at,
      List<Family> active,
      double[] weights,
      SplittableRandom random) {
    Family family = active.get(weighted(weights, random));
    String id = "d%02d-%05d".formatted(day, number);
    int lot = random.nextInt(100);
    if (lot < CHATTER_PERCENT) {
      String user = pickUser(family, random);
      String text = Words.pick(CHATTER, random);
      Request.Truth truth = new Request.Truth("", Level.NOISE, "", "chatter", "", false, "");
      return new Request(id, day, at, family.tenant(), user, "c-" + id, text, truth, false);
    }
    Level level = level(lot, random);
    Problem problem = problem(family, level, Words.pick(family.core(), random), random);
    boolean known = level != Level.S5 && level != Level.NOISE;
    boolean liar = known && family.rank() == 3 && random.nextInt(100) < POISON_PERCENT;
    String user = liar ? "u999@" + family.tenant() : pickUser(family, random);
    String text =
        random.nextInt(100) < PERSONAL_PERCENT
            ? Personal.preface(random) + problem.text()
            : problem.text();
    Request.Truth truth =
        new Request.Truth(
            known ? family.id() : "",
            level,
            problem.policy(),
            problem.kind().name().toLowerCase(Locale.ROOT),
            problem.structure().name().toLowerCase(Locale.ROOT),
            known && family.firstDay() < day,
            Integer.toString(shop.solve(problem, day).answer()));
    return new Request(id, day, at, family.tenant(), user, "c-" + id, text, truth, liar);
  }

  private static String pickUser(Family family, SplittableRandom random) {
    return Words.pick(family.users(), random);
  }

  private static int weighted(double[] weights, SplittableRandom random) {
    double left = random.nextDouble() * java.util.Arrays.stream(weights).sum();
    for (int i = 0; i < weights.length - 1; i++) {
      left -= weights[i];
      if (left < 0) {
        return i;
      }
    }
    return weights.length - 1;
  }

  private static Level level(int lot, SplittableRandom random) {
    if (lot < CHATTER_PERCENT + NOISE_PERCENT) {
      return Level.NOISE;
    }
    if (lot < CHATTER_PERCENT + NOISE_PERCENT + TRAP_PERCENT) {
      return Level.S5;
    }
    int like = random.nextInt(100);
    return like < 25 ? Level.S1 : like < 45 ? Level.S2 : like < 88 ? Level.S3 : Level.S4;
  }

  /**
   * A problem as like its family as the level says.
   *
   * @param core the known problem that it resembles
   */
  public Problem problem(Family family, Level level, Problem core, SplittableRandom random) {
    return switch (level) {
      case S1 -> core;
      case S2 ->
          core.reworded(
              (core.wording() + 1 + random.nextInt(Structure.WORDINGS - 1)) % Structure.WORDINGS);
      case S3 -> Problem.draw(family.structure(), family.kind(), family.policy(), random);
      case S4 -> {
        Structure other = pick(Structure.values(), random);
        while (other == family.structure()) {
          other = pick(Structure.values(), random);
        }
        yield Problem.draw(other, family.kind(), family.policy(), random);
      }
      case S5 ->
          core.under(
              unknownPolicy(random), family.kind() == Kind.PLAIN ? Kind.SHIPPING : family.kind());
      case NOISE ->
          Problem.draw(
              pick(Structure.values(), random),
              Words.pick(Kind.HOUSE, random),
              unknownPolicy(random),
              random);
    };
  }

  /** A name that is none of the recurring ones and shares no word with them. */
  private String unknownPolicy(SplittableRandom random) {
    while (true) {
      String name = Words.policyName(random);
      List<String> parts = List.of(name.split(" ", 2));
      boolean known =
          families.stream().map(Family::policy).anyMatch(p -> parts.stream().anyMatch(p::contains));
      if (!known) {
        return name;
      }
    }
  }

  /** What a lying log says was accepted. */
  public String poisonedAnswer(Request request) {
    Problem problem = Problem.read(request.text()).orElseThrow();
    return problem.kind() == Kind.PLAIN
        ? "A: " + (shop.solve(problem, request.day()).answer() + 1)
        : problem.solve(shop.poison(problem.policy(), problem.kind(), request.day())).text();
  }
}
