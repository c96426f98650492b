package io.knack.spark.mine;

import io.knack.contracts.stage.ContractException;
import io.knack.contracts.store.Artifact;
import io.knack.contracts.store.Jsons;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SortedSet;

/**
 * What a night of mining leaves for the next, beside its tables: {@code state.json}.
 *
 * @param ids every id that was ever given to a cluster or family
 * @param rows interactions when everything was mined last
 * @param rowsSince interactions added by nights since
 * @param settled content digests of the member tables under {@code members/settled}, in order
 */
record MineState(SortedSet<String> ids, long rows, long rowsSince, List<String> settled) {
  static final String FILE = "state.json";
  static final String SPACE = "feature_space.bin";
  static final String MAP = "map.html";

  static MineState read(Artifact artifact) {
    try {
      return Jsons.mapper().readValue(artifact.file(FILE).toFile(), MineState.class);
    } catch (IOException e) {
      throw new ContractException(
          artifact.ref() + " has no readable " + FILE + " (" + e.getMessage() + ")", e);
    }
  }

  void write(Path output) {
    try {
      Files.writeString(
          output.resolve(FILE),
          Jsons.mapper().writerWithDefaultPrettyPrinter().writeValueAsString(this));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static Path settled(Path directory, int night) {
    return directory.resolve("members").resolve("settled").resolve("%05d".formatted(night));
  }

  static Path openMembers(Path directory) {
    return directory.resolve("members").resolve("open");
  }
}
