package io.knack.contracts.store;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.knack.contracts.id.RunId;
import io.knack.contracts.stage.ContractException;
import io.knack.contracts.stage.TemporaryException;
import io.knack.contracts.store.ArtifactCard.FileEntry;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.locks.ReentrantLock;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The artifacts of a workspace: immutable directories below {@code HOME/artifacts/KIND}, each named
 * {@code SEQUENCE-REVISION-DIGEST}. Commit order is the sequence; an erasure commits a higher
 * revision in the same place, so that order and "latest" do not change.
 *
 * <p>A commit writes beside, syncs every file and directory, writes {@code artifact.json} last and
 * renames. Whatever happens in between, a reader sees the old state or the new one: a directory
 * that is not named so, or has no {@code artifact.json}, does not exist. What a dead process left
 * behind is removed by the next {@link #stage}.
 */
public final class ArtifactStore {
  /** Written last; without it a directory is no artifact. */
  public static final String CARD = "artifact.json";

  private static final Pattern HIDDEN = Pattern.compile("(^|/)[._]");
  private static final String RESTORE = "restore the artifact from a backup, or make it again";
  private static final Pattern STAGED = Pattern.compile("\\.staged-(\\d+)-.*");
  private static final ObjectMapper JSON = Jsons.mapper();

  /** A file lock keeps processes apart, not the threads of one. */
  private static final ReentrantLock IN_PROCESS = new ReentrantLock();

  private final Path home;
  private final Runnable beforeEachStep;

  private ArtifactStore(Path home, Runnable beforeEachStep) {
    this.home = home;
    this.beforeEachStep = beforeEachStep;
  }

  public static ArtifactStore open(Path home) {
    return new ArtifactStore(home.toAbsolutePath().normalize(), () -> {});
  }

  /** For tests: the hook runs before each file operation that another process could see. */
  public static ArtifactStore open(Path home, Runnable beforeEachStep) {
    return new ArtifactStore(home.toAbsolutePath().normalize(), beforeEachStep);
  }

  public Path home() {
    return home;
  }

  /** A new empty directory beside the place where an artifact of this kind will be. */
  public Path stage(ArtifactKind kind, RunId run) {
    try {
      Path directory = directory(kind);
      Files.createDirectories(directory);
      removeLeftovers(directory);
      beforeEachStep.run();
      return Files.createDirectory(
          directory.resolve(".staged-" + ProcessHandle.current().pid() + "-" + UUID.randomUUID()));
    } catch (IOException e) {
      throw TemporaryException.of("cannot write below " + home, e);
    }
  }

  /**
   * Hashes and syncs the staged files, writes {@code artifact.json} last, renames.
   *
   * @param draft its {@code files} are replaced by what is there
   * @throws TemporaryException when the disk refuses; the staged directory stays for inspection
   */
  @SuppressWarnings("try") // the lock is held by its scope
  public Artifact commit(Path staged, ArtifactCard draft) {
    try {
      ArtifactCard card = draft.withFiles(syncAndHash(staged));
      String json = JSON.writerWithDefaultPrettyPrinter().writeValueAsString(card) + "\n";
      String digest = Digests.sha256(json);
      DurableFiles.replace(staged.resolve(CARD), json, beforeEachStep);
      Path parent = directory(card.kind());
      IN_PROCESS.lock();
      try (FileChannel lock = lock(parent)) {
        Path target = parent.resolve(place(card, digest).toString());
        beforeEachStep.run();
        Files.move(staged, target, StandardCopyOption.ATOMIC_MOVE);
        beforeEachStep.run();
        DurableFiles.syncDirectory(parent);
        return new Artifact(new ArtifactRef(card.kind(), digest), target, card);
      } finally {
        IN_PROCESS.unlock();
      }
    } catch (IOException e) {
      throw TemporaryException.of("cannot commit to " + directory(draft.kind()), e);
    }
  }

  /** Gives up a staged directory. */
  public void discard(Path staged) {
    try {
      DurableFiles.deleteTree(staged);
    } catch (IOException e) {
      throw TemporaryException.of("cannot remove " + staged, e);
    }
  }

  /**
   * Finds an artifact by its whole digest and verifies every file of it.
   *
   * @throws ContractException when it is missing, erased, or not what its digest says
   */
  public Artifact resolve(ArtifactRef ref) {
    if (!ref.digest().matches("[0-9a-f]{64}")) {
      throw new ContractException("'" + ref + "' is no artifact reference");
    }
    refuseErased(ref);
    Path directory =
        committed(ref.kind()).entrySet().stream()
            .filter(entry -> entry.getKey().isOf(ref.digest()))
            .map(Map.Entry::getValue)
            .findFirst()
            .orElseThrow(
                () ->
                    new ContractException(
                        "no artifact "
                            + ref
                            + " in "
                            + home
                            + "; './knack show "
                            + ref.kind().wire()
                            + "' lists what is there"));
    Artifact artifact = load(ref.kind(), directory);
    if (!artifact.ref().equals(ref)) {
      throw new ContractException(
          directory.resolve(CARD) + " has digest " + artifact.ref().digest() + ", expected " + ref);
    }
    verify(artifact);
    return artifact;
  }

  /** All live artifacts of a kind, in commit order. Their files are not verified. */
  public List<Artifact> chain(ArtifactKind kind) {
    SortedMap<Integer, Path> latestRevision = new TreeMap<>();
    committed(kind).forEach((name, path) -> latestRevision.put(name.sequence(), path));
    return latestRevision.values().stream().map(path -> load(kind, path)).toList();
  }

  public Optional<Artifact> latest(ArtifactKind kind) {
    List<Artifact> chain = chain(kind);
    return chain.isEmpty() ? Optional.empty() : Optional.of(chain.get(chain.size() - 1));
  }

  /**
   * Removes an artifact for good and leaves a tombstone, so that its digest is refused as erased.
   *
   * @param receipt names the erasure; holds no personal data
   */
  public void erase(Artifact artifact, String receipt, Instant at) {
    try {
      Path tombstone = tombstone(artifact.ref());
      if (!Files.exists(tombstone)) {
        beforeEachStep.run();
        DurableFiles.createNew(
            tombstone,
            JSON.writeValueAsString(
                    Map.of(
                        "artifact", artifact.ref().toString(),
                        "erased_at", at.toString(),
                        "receipt", receipt))
                + "\n");
      }
      beforeEachStep.run();
      DurableFiles.deleteTree(artifact.directory());
    } catch (FileAlreadyExistsException e) {
      // Somebody else erases it at this moment; the outcome is the same.
    } catch (IOException e) {
      throw TemporaryException.of("cannot erase " + artifact.ref(), e);
    }
  }

  /**
   * What an artifact is today: itself, or the replacement that an erasure put in its place.
   *
   * @return empty when it was never here
   */
  public Optional<Artifact> current(ArtifactRef ref) {
    return chain(ref.kind()).stream()
        .filter(
            artifact -> artifact.ref().equals(ref) || artifact.card().supersedes().contains(ref))
        .findFirst();
  }

  /**
   * Completes erasures that were cut off, and removes what never became an artifact: superseded
   * revisions, directories without a card, staged ones. Only while no stage is at work.
   *
   * @param receipt as in {@link #erase}
   * @return how many directories went
   */
  public int sweep(String receipt, Instant at) {
    int removed = 0;
    for (ArtifactKind kind : ArtifactKind.values()) {
      Set<Path> live = new HashSet<>();
      chain(kind).forEach(artifact -> live.add(artifact.directory()));
      List<Path> others;
      try (Stream<Path> paths = Files.list(directory(kind))) {
        others =
            paths
                .filter(path -> !live.contains(path))
                .filter(
                    path ->
                        CommittedName.of(path).isPresent()
                            || STAGED.matcher(path.getFileName().toString()).matches())
                .sorted()
                .toList();
      } catch (NoSuchFileException e) {
        continue;
      } catch (IOException e) {
        throw TemporaryException.of("cannot list " + directory(kind), e);
      }
      for (Path other : others) {
        if (CommittedName.of(other).isPresent() && Files.exists(other.resolve(CARD))) {
          erase(load(kind, other), receipt, at);
        } else {
          beforeEachStep.run();
          discard(other);
        }
        removed++;
      }
    }
    return removed;
  }

  /**
   * Hashes every file of an artifact against its card.
   *
   * @throws ContractException for a file that is missing, changed, or not in the card
   */
  public void verify(Artifact artifact) {
    verifyListing(artifact);
    for (FileEntry entry : artifact.card().files()) {
      Path file = artifact.directory().resolve(entry.path());
      if (Files.isDirectory(file)) {
        throw new ContractException(file + " is a directory; its card lists a file; " + RESTORE);
      }
      try {
        String found = Digests.sha256(file);
        if (!found.equals(entry.sha256())) {
          throw new ContractException(
              file + " has sha256 " + found + ", its card says " + entry.sha256());
        }
      } catch (IOException e) {
        throw TemporaryException.of("cannot read " + file, e);
      }
    }
  }

  /**
   * Looks for files that were added to an artifact, taken from it or cut, without reading them: who
   * reads a table reads every file of its directory. Names that begin with a dot or an underscore
   * are nobody's data.
   *
   * @throws ContractException for a file that the card does not list, or that is not there as long
   *     as it says
   */
  public void verifyListing(Artifact artifact) {
    for (FileEntry entry : artifact.card().files()) {
      Path file = artifact.directory().resolve(entry.path()).normalize();
      if (!file.startsWith(artifact.directory())) {
        throw new ContractException(
            artifact.ref() + " names a file outside itself: " + entry.path());
      }
      try {
        long size = Files.size(file);
        if (size != entry.bytes() && !Files.isDirectory(file)) {
          throw new ContractException(
              file + " has " + size + " bytes, its card says " + entry.bytes() + "; " + RESTORE);
        }
      } catch (NoSuchFileException e) {
        throw new ContractException(file + " is missing; its card lists it; " + RESTORE, e);
      } catch (IOException e) {
        throw TemporaryException.of("cannot read " + file, e);
      }
    }
    Set<String> listed = new HashSet<>();
    artifact.card().files().forEach(entry -> listed.add(entry.path()));
    listed.add(CARD);
    try (Stream<Path> walk = Files.walk(artifact.directory())) {
      walk.filter(file -> !Files.isDirectory(file, LinkOption.NOFOLLOW_LINKS))
          .map(file -> artifact.directory().relativize(file))
          .filter(file -> !HIDDEN.matcher(file.toString()).find())
          .filter(file -> !listed.contains(file.toString().replace('\\', '/')))
          .sorted()
          .findFirst()
          .ifPresent(
              file -> {
                throw new ContractException(
                    artifact.directory().resolve(file)
                        + " is no part of the artifact: "
                        + CARD
                        + " does not list it; move it out of there");
              });
    } catch (IOException e) {
      throw TemporaryException.of("cannot list " + artifact.directory(), e);
    } catch (UncheckedIOException e) {
      throw new TemporaryException(
          "cannot list " + artifact.directory() + ": " + e.getMessage(), e);
    }
  }

  // ---- places

  private Path directory(ArtifactKind kind) {
    return home.resolve("artifacts").resolve(kind.wire());
  }

  private Path tombstone(ArtifactRef ref) {
    return directory(ref.kind()).resolve("tombstones").resolve(ref.digest() + ".json");
  }

  private void refuseErased(ArtifactRef ref) {
    if (Files.exists(tombstone(ref))) {
      throw new ContractException(ref + " was erased; see " + tombstone(ref));
    }
  }

  /** The place that a card takes; the lock is held. */
  private CommittedName place(ArtifactCard card, String digest) {
    SortedMap<CommittedName, Path> committed = committed(card.kind());
    if (card.supersedes().isEmpty()) {
      int last = committed.isEmpty() ? 0 : committed.lastKey().sequence();
      return new CommittedName(last + 1, 0, digest);
    }
    for (ArtifactRef superseded : card.supersedes()) {
      for (CommittedName name : committed.keySet()) {
        if (name.isOf(superseded.digest())) {
          return new CommittedName(name.sequence(), name.revision() + 1, digest);
        }
      }
    }
    throw new ContractException("nothing there to supersede: " + card.supersedes());
  }

  /** Directories that are artifacts, in commit order, older revisions before newer ones. */
  private SortedMap<CommittedName, Path> committed(ArtifactKind kind) {
    SortedMap<CommittedName, Path> committed = new TreeMap<>();
    try (Stream<Path> paths = Files.list(directory(kind))) {
      paths.forEach(
          path ->
              CommittedName.of(path)
                  .filter(name -> Files.exists(path.resolve(CARD)))
                  .ifPresent(name -> committed.put(name, path)));
      return committed;
    } catch (NoSuchFileException e) {
      return committed;
    } catch (IOException e) {
      throw TemporaryException.of("cannot list " + directory(kind), e);
    }
  }

  /** The name of an artifact's directory ends in its card's digest: a changed card is found so. */
  private Artifact load(ArtifactKind kind, Path directory) {
    Path file = directory.resolve(CARD);
    try {
      String json = Files.readString(file);
      JsonNode tree = JSON.readTree(json);
      if (!tree.isObject()) {
        throw new ContractException(
            file
                + " is no artifact card: expected a JSON object, found '"
                + tree
                + "'; "
                + RESTORE);
      }
      List<String> missing =
          ArtifactCard.REQUIRED.stream().filter(field -> !tree.hasNonNull(field)).toList();
      if (!missing.isEmpty()) {
        throw new ContractException(
            file + " is no artifact card: it lacks " + String.join(", ", missing) + "; " + RESTORE);
      }
      String digest = Digests.sha256(json);
      if (!directory.getFileName().toString().endsWith(digest.substring(0, 16))) {
        throw new ContractException(
            file
                + " was changed: it has digest "
                + digest
                + ", its directory is named for another one; "
                + RESTORE);
      }
      return new Artifact(
          new ArtifactRef(kind, digest), directory, JSON.treeToValue(tree, ArtifactCard.class));
    } catch (JsonProcessingException e) {
      throw new ContractException(
          file + " is no artifact card: " + Jsons.words(e) + "; " + RESTORE, e);
    } catch (IOException e) {
      throw TemporaryException.of("cannot read " + file, e);
    }
  }

  // ---- committing

  private List<FileEntry> syncAndHash(Path staged) throws IOException {
    List<Path> files = new ArrayList<>();
    List<Path> directories = new ArrayList<>();
    try (Stream<Path> walk = Files.walk(staged)) {
      walk.sorted().forEach(path -> (Files.isDirectory(path) ? directories : files).add(path));
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
    List<FileEntry> entries = new ArrayList<>();
    for (Path file : files) {
      String relative = staged.relativize(file).toString().replace('\\', '/');
      if (relative.equals(CARD)) {
        continue;
      }
      beforeEachStep.run();
      DurableFiles.sync(file);
      entries.add(new FileEntry(relative, Files.size(file), Digests.sha256(file)));
    }
    for (Path directory : directories) {
      beforeEachStep.run();
      DurableFiles.syncDirectory(directory);
    }
    return entries;
  }

  /** Held until the channel is closed, against other processes. */
  private static FileChannel lock(Path parent) throws IOException {
    FileChannel channel =
        FileChannel.open(
            parent.resolve(".lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    FileLock held = channel.lock();
    if (!held.isValid()) {
      channel.close();
      throw new IOException("the lock " + parent.resolve(".lock") + " was lost");
    }
    return channel;
  }

  private void removeLeftovers(Path directory) throws IOException {
    List<Path> leftovers;
    try (Stream<Path> paths = Files.list(directory)) {
      leftovers = paths.filter(ArtifactStore::isOrphan).toList();
    }
    for (Path leftover : leftovers) {
      beforeEachStep.run();
      DurableFiles.deleteTree(leftover);
    }
  }

  private static boolean isOrphan(Path path) {
    Matcher name = STAGED.matcher(path.getFileName().toString());
    return name.matches()
        && ProcessHandle.of(Long.parseLong(name.group(1))).filter(ProcessHandle::isAlive).isEmpty();
  }
}
