package io.knack.contracts.erasure;

import io.knack.contracts.id.RunId;
import io.knack.contracts.stage.TemporaryException;
import io.knack.contracts.store.Artifact;
import io.knack.contracts.store.ArtifactCard;
import io.knack.contracts.store.ArtifactRef;
import io.knack.contracts.store.ArtifactStore;
import io.knack.contracts.store.Digests;
import io.knack.contracts.table.RowEdit;
import io.knack.contracts.table.Tables;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * One artifact made again without a person. Files that do not change are linked; its card keeps
 * what the artifact was made of, so that later stages see that their inputs were erased.
 */
final class Replacement {
  /** What the card's figures say of erasures: receipt, then counts. */
  static final String FIGURE = "erasures";

  private final Artifact old;
  private final Map<String, Long> counts = new TreeMap<>();
  private final Map<Path, String> texts = new HashMap<>();
  private final List<Path> dropped = new ArrayList<>();
  private final List<Path> quotes = new ArrayList<>();
  private Function<Path, @Nullable RowEdit> edits = path -> null;
  private @Nullable String rowName;
  private @Nullable String elementName;

  Replacement(Artifact old) {
    this.old = old;
  }

  Artifact old() {
    return old;
  }

  /** How each Parquet file, by its path in the artifact, changes; null for not at all. */
  void rows(String rowsCountedAs, String elementsCountedAs, Function<Path, @Nullable RowEdit> by) {
    rowName = rowsCountedAs;
    elementName = elementsCountedAs;
    edits = by;
  }

  /** A file's new text. */
  void text(String file, String content) {
    texts.put(Path.of(file), content);
  }

  /** A file or directory that goes. */
  void drop(Path inArtifact) {
    dropped.add(inArtifact);
  }

  void count(String what, long number) {
    if (number > 0) {
      counts.merge(what, number, Long::sum);
    }
  }

  /** A file that goes when anything else changes. */
  void dropIfChanged(String file) {
    quotes.add(Path.of(file));
  }

  /**
   * Commits the replacement and erases the old one.
   *
   * @return false when there is nothing to take away
   */
  boolean commit(ArtifactStore store, String receipt, Instant at) {
    Path staged = store.stage(old.ref().kind(), new RunId("forget-" + receipt));
    try {
      boolean changed = copy(staged) || !texts.isEmpty() || !dropped.isEmpty();
      if (!changed) {
        store.discard(staged);
        return false;
      }
      for (Path quote : quotes) {
        Files.deleteIfExists(staged.resolve(quote));
      }
      store.commit(staged, card(staged, receipt, at));
    } catch (IOException e) {
      throw new TemporaryException("cannot replace " + old.ref() + ": " + e.getMessage(), e);
    }
    store.erase(old, receipt, at);
    return true;
  }

  private boolean copy(Path staged) throws IOException {
    boolean changed = false;
    List<Path> files;
    try (Stream<Path> walk = Files.walk(old.directory())) {
      files = walk.filter(Files::isRegularFile).sorted().toList();
    }
    List<Path> rewritten = new ArrayList<>();
    for (Path file : files) {
      Path relative = old.directory().relativize(file);
      RowEdit edit =
          file.getFileName().toString().endsWith(".parquet") ? edits.apply(relative) : null;
      if (edit == null) {
        continue;
      }
      Path target = staged.resolve(relative);
      Files.createDirectories(target.getParent());
      RowEdit.Count count = Tables.rewrite(file, target, edit);
      if (count.any()) {
        changed = true;
        rewritten.add(relative);
        count(nameOf(relative), count.rows());
        count(String.valueOf(elementName), count.elements());
      }
    }
    for (Path file : files) {
      Path relative = old.directory().relativize(file);
      if (relative.equals(Path.of(ArtifactStore.CARD))
          || rewritten.contains(relative)
          || dropped.stream().anyMatch(relative::startsWith)
          || isChecksumOf(relative, rewritten)) {
        continue;
      }
      Path target = staged.resolve(relative);
      Files.createDirectories(target.getParent());
      String text = texts.get(relative);
      if (text != null) {
        Files.writeString(target, text);
      } else {
        link(file, target);
      }
    }
    return changed;
  }

  /** A table's rows are counted under its name; what a stage keeps for itself under the other. */
  private String nameOf(Path relative) {
    String table = relative.getName(0).toString().replace(".parquet", "");
    return Tables.ALL.stream().anyMatch(known -> known.name().equals(table))
        ? table
        : String.valueOf(rowName);
  }

  /** Hadoop keeps {@code .NAME.crc} beside a file, and refuses the file when they differ. */
  private static boolean isChecksumOf(Path relative, List<Path> rewritten) {
    return rewritten.stream()
        .anyMatch(path -> path.resolveSibling("." + path.getFileName() + ".crc").equals(relative));
  }

  private static void link(Path from, Path to) throws IOException {
    try {
      Files.createLink(to, from);
    } catch (UnsupportedOperationException | IOException e) {
      Files.copy(from, to);
    }
  }

  private ArtifactCard card(Path staged, String receipt, Instant at) throws IOException {
    ArtifactCard card = old.card();
    List<ArtifactRef> supersedes = new ArrayList<>(List.of(old.ref()));
    supersedes.addAll(card.supersedes());
    TreeMap<String, Object> figures = new TreeMap<>(card.figures());
    TreeMap<String, Object> erasures = new TreeMap<>();
    if (figures.get(FIGURE) instanceof Map<?, ?> earlier) {
      earlier.forEach((key, value) -> erasures.put(String.valueOf(key), value));
    }
    TreeMap<String, Long> all = new TreeMap<>(counts);
    if (erasures.get(receipt) instanceof Map<?, ?> before) {
      before.forEach(
          (what, number) ->
              all.merge(String.valueOf(what), ((Number) number).longValue(), Long::sum));
    }
    erasures.put(receipt, all);
    figures.put(FIGURE, erasures);
    return new ArtifactCard(
        card.kind(),
        card.schemaVersion(),
        card.producer(),
        card.codeVersion(),
        card.run(),
        at,
        card.planDigest(),
        card.plan(),
        card.inputs(),
        List.of(),
        contentDigest(staged),
        card.seed(),
        supersedes,
        figures,
        card.runtime(),
        "a person was erased, receipt " + receipt);
  }

  private static String contentDigest(Path staged) throws IOException {
    List<String> lines = new ArrayList<>();
    try (Stream<Path> walk = Files.walk(staged)) {
      for (Path file : walk.filter(Files::isRegularFile).sorted().toList()) {
        lines.add(staged.relativize(file) + " " + Digests.sha256(file));
      }
    }
    return Digests.sha256(String.join("\n", lines));
  }
}
