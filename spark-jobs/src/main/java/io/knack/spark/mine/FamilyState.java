package io.knack.spark.mine;

import io.knack.contracts.SparseVector;
import io.knack.contracts.table.Table;
import io.knack.contracts.table.Tables;

/** A family as tomorrow needs it. */
public record FamilyState(String familyId, String tenant, SparseVector centroid) {
  static final Table<FamilyState> TABLE = Tables.own("families", FamilyState.class);
}
