package io.knack.spark.mine;

import io.knack.contracts.table.Table;
import io.knack.contracts.table.Tables;
import java.time.LocalDate;
import org.jspecify.annotations.Nullable;

/**
 * What mining needs of an interaction.
 *
 * @param tenant whose clusters it may join; the same for all when tenants share
 * @param owner the interaction's own tenant
 * @param key names the node: digest of tenant and signature
 * @param text the problem
 * @param judged attempts with a known outcome
 * @param passed of the judged
 * @param tokens generated
 */
public record SeenRow(
    String interactionId,
    String tenant,
    String owner,
    @Nullable String subject,
    LocalDate day,
    String key,
    String text,
    long attempts,
    long judged,
    long passed,
    long tokens) {
  /** Interactions that no cluster holds yet: what tomorrow may still cluster. */
  static final Table<SeenRow> OPEN = Tables.own("open", SeenRow.class);
}
