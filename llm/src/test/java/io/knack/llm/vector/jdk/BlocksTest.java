package io.knack.llm.vector.jdk;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Groups of eight rows, which only longer vectors use, give what groups of four give. */
class BlocksTest {
  private static final int IN = 300;
  private static final int OUT = 96;

  @ParameterizedTest
  @ValueSource(ints = {8, 13, 16, 31})
  void aRowIsBitwiseTheSameInAGroupOfAnySize(int rows) {
    Random random = new Random(rows);
    float[] x = new float[rows * IN];
    for (int i = 0; i < x.length; i++) {
      x[i] = (float) random.nextGaussian();
    }
    ByteBuffer w = ByteBuffer.allocateDirect(4 * IN * OUT).order(ByteOrder.nativeOrder());
    ByteBuffer halves = ByteBuffer.allocateDirect(2 * IN * OUT).order(ByteOrder.nativeOrder());
    for (int i = 0; i < IN * OUT; i++) {
      int bits = Float.floatToRawIntBits((float) random.nextGaussian());
      w.putInt(4 * i, bits);
      halves.putShort(2 * i, (short) (bits >>> 16));
    }
    float[][] y = new float[6][rows * OUT];
    for (int i = 0; i < 2; i++) {
      Inputs inputs = new Inputs(i == 1);
      new FloatBlocks(inputs).product(w, false, IN, 0, OUT / 32, x, 0, y[i], 0, OUT, rows);
      new HalfBlocks(inputs).product(halves, IN, 0, OUT / 32, x, 0, y[2 + i], 0, OUT, rows);
      new FloatBlocks(inputs).product(halves, true, IN, 0, OUT / 32, x, 0, y[4 + i], 0, OUT, rows);
    }
    assertThat(y[1]).isEqualTo(y[0]);
    assertThat(y[3]).isEqualTo(y[2]);
    assertThat(y[5]).isEqualTo(y[4]);
  }
}
