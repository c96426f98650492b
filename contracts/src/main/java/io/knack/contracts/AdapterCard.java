package io.knack.contracts;

import io.knack.contracts.id.ClusterId;
import io.knack.contracts.id.TenantId;
import org.jspecify.annotations.Nullable;

/**
 * What an adapter directory is about: {@value #FILE} beside its weights. An adapters artifact holds
 * one PEFT directory per cluster, each with its card.
 *
 * @param tenant whose it is; null when tenants share
 * @param deviceSeconds that training it took; its share where several were trained in one pass
 */
public record AdapterCard(
    String name,
    ClusterId clusterId,
    @Nullable TenantId tenant,
    String baseModel,
    @Nullable String baseRevision,
    long examples,
    long steps,
    double deviceSeconds) {
  public static final String FILE = "card.json";
}
