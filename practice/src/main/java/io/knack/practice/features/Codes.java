package io.knack.practice.features;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;

/** A table of vectors, one for each bucket, a byte for each number and a scale for each row. */
final class Codes {
  final int width;
  private final byte[] codes;
  private final float[] scales;
  private final float[] values;

  Codes(float[] table, int width) {
    this(encode(table, width), scales(table, width), width);
  }

  private Codes(byte[] codes, float[] scales, int width) {
    this.width = width;
    this.codes = codes;
    this.scales = scales;
    this.values = new float[codes.length];
    for (int i = 0; i < codes.length; i++) {
      values[i] = codes[i] * scales[i / width];
    }
  }

  boolean has(int bucket) {
    return scales[bucket] != 0;
  }

  void add(int bucket, float weight, float[] into) {
    if (scales[bucket] == 0) {
      return;
    }
    int at = bucket * width;
    for (int r = 0; r < width; r++) {
      into[r] += weight * values[at + r];
    }
  }

  private static float[] scales(float[] table, int width) {
    float[] scales = new float[table.length / width];
    for (int i = 0; i < table.length; i++) {
      scales[i / width] = Math.max(scales[i / width], Math.abs(table[i]) / 127);
    }
    return scales;
  }

  private static byte[] encode(float[] table, int width) {
    float[] scales = scales(table, width);
    byte[] codes = new byte[table.length];
    for (int i = 0; i < table.length; i++) {
      float scale = scales[i / width];
      codes[i] = scale == 0 ? 0 : (byte) Math.round(table[i] / scale);
    }
    return codes;
  }

  void write(DataOutputStream out) throws IOException {
    out.writeInt(width);
    SpaceFiles.writeFloats(out, scales);
    out.write(codes);
  }

  static Codes read(DataInputStream in) throws IOException {
    int width = in.readInt();
    float[] scales = SpaceFiles.readFloats(in);
    byte[] codes = new byte[scales.length * width];
    in.readFully(codes);
    return new Codes(codes, scales, width);
  }
}
