package io.knack.spark.frame;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.concat;
import static org.apache.spark.sql.functions.lit;
import static org.apache.spark.sql.functions.sha2;
import static org.apache.spark.sql.functions.substring;
import static org.apache.spark.sql.functions.when;

import io.knack.contracts.Interaction;
import io.knack.contracts.id.ClusterId;
import io.knack.contracts.store.Digests;
import org.apache.spark.sql.Column;
import org.jspecify.annotations.Nullable;

/**
 * The one cluster of {@code all_as_one_cluster}: {@code all} where a log names no tenants, {@code
 * all-} and a digest for each tenant that it names, since what a tenant asked is never learnt for
 * another.
 */
public final class Whole {
  private static final String ALL = "all";
  private static final String OF_A_TENANT = ALL + "-";
  private static final int DIGITS = 12;

  private Whole() {}

  /**
   * @param tenant null for all tenants together
   */
  public static String cluster(@Nullable String tenant) {
    return tenant == null || tenant.equals(Interaction.NO_TENANT.value())
        ? ALL
        : OF_A_TENANT + Digests.sha256(tenant).substring(0, DIGITS);
  }

  /** {@link #cluster} of the column {@code tenant}. */
  public static Column cluster() {
    return when(col("tenant").equalTo(Interaction.NO_TENANT.value()), lit(ALL))
        .otherwise(concat(lit(OF_A_TENANT), substring(sha2(col("tenant"), 256), 1, DIGITS)));
  }

  public static boolean is(ClusterId cluster) {
    return cluster.value().equals(ALL) || cluster.value().startsWith(OF_A_TENANT);
  }
}
