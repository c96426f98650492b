package io.knack.contracts.store;

import java.nio.file.Path;
import java.util.Comparator;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The name of an artifact's directory, {@code SEQUENCE-REVISION-DIGEST}: two numbers, and the first
 * sixteen digits of the card's digest. Ordered by the numbers.
 */
record CommittedName(int sequence, int revision, String digest)
    implements Comparable<CommittedName> {
  private static final Pattern PATTERN = Pattern.compile("(\\d{6,9})-(\\d{3,9})-([0-9a-f]{16})");
  private static final Comparator<CommittedName> ORDER =
      Comparator.comparingInt(CommittedName::sequence)
          .thenComparingInt(CommittedName::revision)
          .thenComparing(CommittedName::digest);

  CommittedName(int sequence, int revision, String digest) {
    this.sequence = sequence;
    this.revision = revision;
    this.digest = digest.substring(0, 16);
  }

  /** Empty for a directory that is no artifact. */
  static Optional<CommittedName> of(Path directory) {
    Matcher name = PATTERN.matcher(directory.getFileName().toString());
    return name.matches()
        ? Optional.of(
            new CommittedName(
                Integer.parseInt(name.group(1)), Integer.parseInt(name.group(2)), name.group(3)))
        : Optional.empty();
  }

  /** Whether the name is that of the artifact with this whole digest. */
  boolean isOf(String wholeDigest) {
    return wholeDigest.startsWith(digest);
  }

  @Override
  public int compareTo(CommittedName other) {
    return ORDER.compare(this, other);
  }

  @Override
  public String toString() {
    return String.format(Locale.ROOT, "%06d-%03d-%s", sequence, revision, digest);
  }
}
