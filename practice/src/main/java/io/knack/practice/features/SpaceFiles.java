package io.knack.practice.features;

import io.knack.contracts.stage.ContractException;
import java.io.ByteArrayInputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.zip.GZIPInputStream;
import java.util.zip.GZIPOutputStream;

/** The file of a feature space: gzip over the space's bytes, which begin with what kind it is. */
final class SpaceFiles {
  private SpaceFiles() {}

  static void save(TextSpace space, Path file) {
    try (GZIPOutputStream out = new GZIPOutputStream(Files.newOutputStream(file))) {
      out.write(space.bytes());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static TextSpace load(Path file, Encoders encoders) {
    try (GZIPInputStream in = new GZIPInputStream(Files.newInputStream(file))) {
      return parse(in.readAllBytes(), file.toString(), encoders);
    } catch (NoSuchFileException e) {
      throw new ContractException(
          "there is no feature space at " + file + "; run ./knack mine to learn one");
    } catch (IOException e) {
      throw new ContractException(
          "the feature space "
              + file
              + " cannot be read ("
              + e.getMessage()
              + "); expected a file"
              + " that mine wrote",
          e);
    }
  }

  static TextSpace parse(byte[] bytes, String name, Encoders encoders) {
    try (DataInputStream in = new DataInputStream(new ByteArrayInputStream(bytes))) {
      int magic = in.readInt();
      if (magic == HashedSpace.MAGIC) {
        return HashedSpace.read(in);
      }
      if (magic == EncodedSpace.MAGIC) {
        return EncodedSpace.read(in, encoders);
      }
      throw new ContractException(
          "the feature space "
              + name
              + " has an unknown format, perhaps of another version; run ./knack mine again");
    } catch (IOException e) {
      throw new ContractException("the feature space " + name + " is cut short", e);
    }
  }

  static void writeFloats(DataOutputStream out, float[] values) throws IOException {
    out.writeInt(values.length);
    for (float value : values) {
      out.writeFloat(value);
    }
  }

  static float[] readFloats(DataInputStream in) throws IOException {
    float[] values = new float[in.readInt()];
    for (int i = 0; i < values.length; i++) {
      values[i] = in.readFloat();
    }
    return values;
  }
}
