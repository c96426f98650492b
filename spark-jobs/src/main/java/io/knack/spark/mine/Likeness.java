package io.knack.spark.mine;

/**
 * How alike the texts of two groups are on average for the groups to be put together.
 *
 * <p>Of hundreds of small groups some are alike by chance, or for the sake of one common concept;
 * and a problem that few ask about is seldom in pieces. Large groups are few, their means are
 * exact, and it is the large problem that lies in as many pieces as it has forms. So small ones
 * must be more alike than large ones.
 *
 * @param small mean cosine over all pairs of texts, at least, where one of the groups is a few
 *     texts
 * @param large the same where both have {@value #MANY} texts or more; between these in proportion
 * @param means cosine of the groups' means, at least: how alike texts of the two are beside texts
 *     of each
 */
record Likeness(double small, double large, double means) {
  private static final double MANY = 100;

  /** The same for groups of every size. */
  static Likeness of(double floor) {
    return new Likeness(floor, floor, 0);
  }

  /** Whether groups with these means and sizes, of this mean cosine, are alike enough. */
  boolean holds(double cosine, double[] a, long sizeOfA, double[] b, long sizeOfB) {
    double few = Math.max(0, 1 - Math.min(sizeOfA, sizeOfB) / MANY);
    return cosine >= large + (small - large) * few && holds(cosine, a, b);
  }

  /** Whether the cosine of the means is high enough. */
  boolean holds(double cosine, double[] a, double[] b) {
    return means <= 0 || cosine >= means * Math.sqrt(Merging.dot(a, a) * Merging.dot(b, b));
  }
}
