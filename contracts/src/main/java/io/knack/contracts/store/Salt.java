package io.knack.contracts.store;

import io.knack.contracts.stage.ContractException;
import io.knack.contracts.stage.TemporaryException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.UUID;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * The secret of a workspace that turns names of people into hashes nobody can guess back. It lives
 * in {@code HOME/salt}, readable by its owner only; without it, the same person gets another hash.
 *
 * @param secret 32 bytes in hex
 */
public record Salt(String secret) {
  private static final String FILE = "salt";

  public Salt {
    if (!secret.matches("[0-9a-f]{64}")) {
      throw new IllegalArgumentException("a salt is 32 bytes in hex");
    }
  }

  /** The workspace's salt; made of random bytes at first use. */
  public static Salt of(Path home) {
    Path file = home.resolve(FILE);
    try {
      if (!Files.exists(file)) {
        create(home, file);
      }
      return new Salt(Files.readString(file).strip());
    } catch (IOException e) {
      throw TemporaryException.of("cannot read or make the salt " + file, e);
    } catch (IllegalArgumentException e) {
      throw new ContractException(
          file + " is damaged: " + e.getMessage() + "; restore it from a backup of the workspace",
          e);
    }
  }

  /** Hex of HMAC-SHA256, cut to 32 digits. */
  public String hash(String name) {
    try {
      Mac mac = Mac.getInstance("HmacSHA256");
      mac.init(new SecretKeySpec(HexFormat.of().parseHex(secret), "HmacSHA256"));
      return HexFormat.of()
          .formatHex(mac.doFinal(name.getBytes(StandardCharsets.UTF_8)))
          .substring(0, 32);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every Java platform has HmacSHA256", e);
    }
  }

  /** Never prints the secret. */
  @Override
  public String toString() {
    return "Salt[secret]";
  }

  private static void create(Path home, Path file) throws IOException {
    Files.createDirectories(home);
    byte[] random = new byte[32];
    new SecureRandom().nextBytes(random);
    FileAttribute<?>[] ownerOnly =
        file.getFileSystem().supportedFileAttributeViews().contains("posix")
            ? new FileAttribute<?>[] {
              PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"))
            }
            : new FileAttribute<?>[0];
    Path draft = home.resolve(FILE + "." + UUID.randomUUID());
    try {
      Files.createFile(draft, ownerOnly);
      Files.writeString(draft, HexFormat.of().formatHex(random) + "\n", StandardOpenOption.WRITE);
      DurableFiles.sync(draft);
      Files.createLink(file, draft); // fails when another process was first
    } catch (FileAlreadyExistsException e) {
      // the other one's salt is as good
    } finally {
      Files.deleteIfExists(draft);
      DurableFiles.syncDirectory(home);
    }
  }
}
