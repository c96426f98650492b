package io.knack.spark.frame;

import io.knack.contracts.store.Digests;
import io.knack.contracts.table.Table;
import io.knack.contracts.table.Tables;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Iterator;
import java.util.List;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;

/**
 * The content digest of a table too large to sort on one machine.
 *
 * <p>Each row's canonical JSON is hashed with SHA-256 and the hashes are added modulo 2^256: a
 * multiset hash (MSet-Add-Hash of Clarke et al., "Incremental Multiset Hash Functions", 2003), so
 * that neither order nor partitions matter and a repeated row counts. Work is linear, the driver
 * receives 32 bytes per partition.
 */
public final class RowsDigest {
  private static final BigInteger MODULUS = BigInteger.ONE.shiftLeft(256);

  /** Of no rows at all. */
  public static final String EMPTY = "0".repeat(64);

  private RowsDigest() {}

  /**
   * What is known of a table once it was read.
   *
   * @param digest in hex
   */
  public record Summary(String digest, long rows) {}

  /** Hex digest of the rows; one job. */
  public static <T extends Record> String of(Dataset<Row> rows, Table<T> table) {
    return summary(rows, table).digest();
  }

  /** Digest and number of the rows; one job. */
  public static <T extends Record> Summary summary(Dataset<Row> rows, Table<T> table) {
    Class<T> type = table.type();
    RowCodec<T> codec = RowCodec.of(table);
    List<byte[]> sums =
        codec
            .align(rows)
            .mapPartitions(
                (MapPartitionsFunction<Row, byte[]>) part -> sum(part, type, codec),
                Encoders.BINARY())
            .collectAsList();
    BigInteger total = BigInteger.ZERO;
    long count = 0;
    for (byte[] sum : sums) {
      count += ByteBuffer.wrap(sum).getLong();
      total = total.add(new BigInteger(1, sum, Long.BYTES, sum.length - Long.BYTES));
    }
    return new Summary(hex(total.mod(MODULUS)), count);
  }

  /** The number of rows, then the sum of their hashes. */
  private static <T extends Record> Iterator<byte[]> sum(
      Iterator<Row> rows, Class<T> type, RowCodec<T> codec) {
    Table<T> table = Tables.own("rows", type);
    MessageDigest sha = Digests.newSha256();
    BigInteger sum = BigInteger.ZERO;
    long count = 0;
    while (rows.hasNext()) {
      String line = table.json(codec.fromRow(rows.next()));
      sum = sum.add(new BigInteger(1, sha.digest(line.getBytes(StandardCharsets.UTF_8))));
      count++;
    }
    byte[] magnitude = sum.mod(MODULUS).toByteArray();
    return List.of(
            ByteBuffer.allocate(Long.BYTES + magnitude.length)
                .putLong(count)
                .put(magnitude)
                .array())
        .iterator();
  }

  private static String hex(BigInteger value) {
    String digits = value.toString(16);
    return "0".repeat(64 - digits.length()) + digits;
  }

  /** The digest of an artifact of several tables, in their fixed order. */
  public static String join(List<String> digests) {
    return Digests.sha256(String.join("\n", digests));
  }
}
