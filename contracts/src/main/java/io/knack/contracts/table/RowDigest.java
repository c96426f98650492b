package io.knack.contracts.table;

import io.knack.contracts.store.Digests;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The content digest of a table, taken row by row: sha256 over the sorted sha256 of all rows, so
 * that neither order nor partitions matter and a row takes 32 bytes until the end.
 *
 * <p>A row is encoded by its {@link Shape}, columns in order: numbers big-endian, texts in UTF-8
 * behind their length, lists and maps behind their size, maps by sorted key, and a byte before what
 * may be null. Not for several threads at once; let each have its own and {@link #include} them.
 */
public final class RowDigest {
  private final Shape.Struct shape;
  private final MessageDigest sha = Digests.newSha256();
  private ByteBuffer row = ByteBuffer.allocate(1 << 12);
  private byte[] digests = new byte[32 * 64];
  private int count;

  RowDigest(Shape.Struct shape) {
    this.shape = shape;
  }

  /** Takes one more row of the table in. */
  public void add(Record value) {
    row.clear();
    put(shape, value);
    sha.update(row.array(), 0, row.position());
    append(sha.digest());
  }

  /** Takes all rows of another digest of the same table in. */
  public void include(RowDigest other) {
    for (int i = 0; i < other.count; i++) {
      append(Arrays.copyOfRange(other.digests, 32 * i, 32 * i + 32));
    }
  }

  /** Of all rows so far, in lower-case hex. */
  public String hex() {
    byte[][] sorted = new byte[count][];
    for (int i = 0; i < count; i++) {
      sorted[i] = Arrays.copyOfRange(digests, 32 * i, 32 * i + 32);
    }
    Arrays.sort(sorted, Arrays::compare);
    MessageDigest all = Digests.newSha256();
    for (byte[] digest : sorted) {
      all.update(digest);
    }
    return HexFormat.of().formatHex(all.digest());
  }

  private void append(byte[] digest) {
    if (32 * (count + 1) > digests.length) {
      digests = Arrays.copyOf(digests, Math.multiplyExact(2, digests.length));
    }
    System.arraycopy(digest, 0, digests, 32 * count++, 32);
  }

  private void put(Shape of, @Nullable Object value) {
    if (of instanceof Shape.Scalar scalar) {
      putScalar(scalar, Objects.requireNonNull(value));
    } else if (of instanceof Shape.Struct struct) {
      for (int i = 0; i < struct.fields().size(); i++) {
        Shape.Field field = struct.fields().get(i);
        Object column = struct.read(Objects.requireNonNull(value), i);
        if (field.nullable()) {
          room(1).put((byte) (column == null ? 0 : 1));
        }
        if (column != null || !field.nullable()) {
          put(field.shape(), column);
        }
      }
    } else if (of instanceof Shape.ListOf list) {
      List<?> elements = (List<?>) Objects.requireNonNull(value);
      room(4).putInt(elements.size());
      if (list.element() instanceof Shape.Scalar scalar && scalar.kind() == Shape.Kind.INT) {
        ByteBuffer to = room(4 * elements.size());
        for (int i = 0; i < elements.size(); i++) {
          to.putInt((Integer) elements.get(i));
        }
      } else if (list.element() instanceof Shape.Scalar scalar
          && scalar.kind() == Shape.Kind.FLOAT) {
        ByteBuffer to = room(4 * elements.size());
        for (int i = 0; i < elements.size(); i++) {
          to.putFloat((Float) elements.get(i));
        }
      } else {
        for (Object element : elements) {
          put(list.element(), element);
        }
      }
    } else if (of instanceof Shape.MapOf map) {
      Map<?, ?> entries = new TreeMap<>((Map<?, ?>) Objects.requireNonNull(value));
      room(4).putInt(entries.size());
      entries.forEach(
          (key, element) -> {
            text((String) key);
            put(map.value(), element);
          });
    }
  }

  private void putScalar(Shape.Scalar scalar, Object value) {
    Object carrier = scalar.store().apply(value);
    switch (scalar.kind()) {
      case TEXT -> text((String) carrier);
      case INT, DATE -> room(4).putInt((Integer) carrier);
      case LONG, TIMESTAMP -> room(8).putLong((Long) carrier);
      case FLOAT -> room(4).putFloat((Float) carrier);
      case DOUBLE -> room(8).putDouble((Double) carrier);
      case BOOLEAN -> room(1).put((byte) ((Boolean) carrier ? 1 : 0));
    }
  }

  private void text(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    room(4 + bytes.length).putInt(bytes.length).put(bytes);
  }

  private ByteBuffer room(int bytes) {
    if (row.remaining() < bytes) {
      ByteBuffer larger =
          ByteBuffer.allocate(
              Math.max(Math.multiplyExact(2, row.capacity()), row.position() + bytes));
      row.flip();
      larger.put(row);
      row = larger;
    }
    return row;
  }
}
