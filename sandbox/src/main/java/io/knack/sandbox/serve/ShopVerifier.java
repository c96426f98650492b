package io.knack.sandbox.serve;

import io.knack.contracts.Budget;
import io.knack.practice.verify.Check;
import io.knack.practice.verify.Verification;
import io.knack.practice.verify.Verifier;
import io.knack.sandbox.world.Shop;

/** The shop's verdict, in process: what {@code sandbox verify} says, without the pipe. */
final class ShopVerifier implements Verifier {
  private static final Budget ONE_CALL = new Budget(0, 0, 0, 0, 1, 0, 0, 0, 0);

  private final Shop shop;
  private final int day;

  ShopVerifier(Shop shop, int day) {
    this.shop = shop;
    this.day = day;
  }

  @Override
  public Verification verify(Check check) {
    boolean passed = shop.passes(check.problem(), check.answer(), day);
    return new Verification(passed ? 1 : 0, passed ? "pass" : "fail", ONE_CALL);
  }
}
