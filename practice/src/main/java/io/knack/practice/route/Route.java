package io.knack.practice.route;

import io.knack.contracts.Manifest;
import io.knack.contracts.Message;
import io.knack.contracts.id.ClusterId;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Where one problem goes.
 *
 * @param clusterId the nearest cluster that the tenant may use, whether it fires or not; null when
 *     there is none
 * @param memory the arm that is applied, as in {@link io.knack.contracts.Trial#arm}; {@code
 *     baseline} when nothing fires
 * @param adapter null for the base model
 * @param messages the request with its memory, ready for the model
 * @param similarity to the nearest cluster's centroid, in [0, 1]
 * @param runnerUp similarity to the second nearest; 0 when there is none
 * @param fired whether a memory is applied
 */
public record Route(
    @Nullable ClusterId clusterId,
    String memory,
    Manifest.@Nullable AdapterRef adapter,
    List<Message> messages,
    double similarity,
    double runnerUp,
    boolean fired,
    long retrievalMicros) {
  public Route {
    messages = List.copyOf(messages);
  }

  /** Where everything goes while nothing is promoted: to the base model. */
  public static Route toBase(List<Message> messages) {
    return new Route(null, Router.BASELINE, null, messages, 0, 0, false, 0);
  }
}
