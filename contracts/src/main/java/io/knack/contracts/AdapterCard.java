package io.knack.contracts;

import io.knack.contracts.id.ClusterId;
import io.knack.contracts.id.TenantId;
import io.knack.contracts.stage.ContractException;
import io.knack.contracts.store.Digests;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
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

  /**
   * sha256 over the names and digests of a PEFT directory's configuration and weights; card and
   * metrics aside.
   *
   * @throws ContractException when one of them is missing
   */
  public static String weightsDigest(Path directory) {
    StringBuilder text = new StringBuilder();
    for (String name : List.of("adapter_config.json", "adapter_model.safetensors")) {
      Path file = directory.resolve(name);
      if (!Files.isRegularFile(file)) {
        throw new ContractException("adapter " + directory + " has no " + name);
      }
      try {
        text.append(name).append(' ').append(Digests.sha256(file)).append('\n');
      } catch (IOException e) {
        throw new UncheckedIOException("cannot read " + file, e);
      }
    }
    return Digests.sha256(text.toString());
  }
}
