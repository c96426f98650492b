package io.knack.llm.kernel;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/**
 * The TorchScript archive around the kernel text: what {@code torch.jit.save} would write for a
 * module of class {@code __torch__.Ops} without parameters. {@code torch.jit.load} reads it too.
 */
public final class ScriptArchive {
  private ScriptArchive() {}

  /** The kernel text as shipped. */
  public static String text() {
    try (InputStream in = ScriptArchive.class.getResourceAsStream("/io/knack/llm/kernels.py")) {
      if (in == null) {
        throw new IllegalStateException("kernels.py is not on the class path");
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The archive of a kernel text, as bytes of a zip with stored entries. */
  public static byte[] of(String text) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
      store(zip, "ops/data.pkl", pickle());
      store(zip, "ops/code/__torch__.py", text.getBytes(StandardCharsets.UTF_8));
      store(zip, "ops/constants.pkl", new byte[] {(byte) 0x80, 2, ')', '.'});
      store(zip, "ops/version", "10\n".getBytes(StandardCharsets.US_ASCII));
      store(zip, "ops/byteorder", "little".getBytes(StandardCharsets.US_ASCII));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }

  /** A new {@code __torch__.Ops} whose only attribute is {@code training = False}. */
  private static byte[] pickle() {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.writeBytes(new byte[] {(byte) 0x80, 2});
    out.writeBytes("c__torch__\nOps\n)".getBytes(StandardCharsets.US_ASCII));
    out.writeBytes(new byte[] {(byte) 0x81, '}', '(', 'X', 8, 0, 0, 0});
    out.writeBytes("training".getBytes(StandardCharsets.US_ASCII));
    out.writeBytes(new byte[] {(byte) 0x89, 'u', 'b', '.'});
    return out.toByteArray();
  }

  private static void store(ZipOutputStream zip, String name, byte[] content) throws IOException {
    CRC32 crc = new CRC32();
    crc.update(content);
    ZipEntry entry = new ZipEntry(name);
    entry.setMethod(ZipEntry.STORED);
    entry.setSize(content.length);
    entry.setCrc(crc.getValue());
    entry.setTime(0);
    zip.putNextEntry(entry);
    zip.write(content);
    zip.closeEntry();
  }
}
