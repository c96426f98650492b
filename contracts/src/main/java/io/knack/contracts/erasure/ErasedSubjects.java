package io.knack.contracts.erasure;

import com.fasterxml.jackson.core.JsonProcessingException;
import io.knack.contracts.id.SubjectId;
import io.knack.contracts.stage.ContractException;
import io.knack.contracts.stage.TemporaryException;
import io.knack.contracts.store.DurableFiles;
import io.knack.contracts.store.Jsons;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * {@code HOME/erasures/subjects.json}: the salted hashes of those who were forgotten, so that the
 * next import of the same log does not bring them back.
 */
public record ErasedSubjects(List<Entry> subjects) {
  /**
   * One of them.
   *
   * @param receipt of the latest erasure
   * @param complete false while it is under way, or was cut off
   */
  public record Entry(SubjectId subject, String receipt, boolean complete) {}

  public ErasedSubjects {
    subjects = List.copyOf(subjects);
  }

  /** Nobody, where the file is missing. */
  public static ErasedSubjects read(Path home) {
    Path file = file(home);
    if (!Files.exists(file)) {
      return new ErasedSubjects(List.of());
    }
    try {
      return Jsons.mapper().readValue(Files.readString(file), ErasedSubjects.class);
    } catch (JsonProcessingException e) {
      throw new ContractException(file + " is damaged: " + Jsons.words(e), e);
    } catch (IOException e) {
      throw new TemporaryException("cannot read " + file + ": " + e.getMessage(), e);
    }
  }

  /** Their hashes, as they would stand in an interaction. */
  public Set<String> hashes() {
    Set<String> hashes = new TreeSet<>();
    subjects.forEach(entry -> hashes.add(entry.subject().value()));
    return hashes;
  }

  Optional<Entry> of(SubjectId subject) {
    return subjects.stream().filter(entry -> entry.subject().equals(subject)).findFirst();
  }

  ErasedSubjects with(Entry changed) {
    List<Entry> all = new ArrayList<>(subjects);
    all.removeIf(entry -> entry.subject().equals(changed.subject()));
    all.add(changed);
    return new ErasedSubjects(all);
  }

  void write(Path home) throws IOException {
    DurableFiles.replace(
        file(home),
        Jsons.mapper().writerWithDefaultPrettyPrinter().writeValueAsString(this) + "\n");
  }

  private static Path file(Path home) {
    return home.resolve("erasures").resolve("subjects.json");
  }
}
