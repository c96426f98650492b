package io.knack.trainer;

import java.nio.file.Path;

/** Writes the adapter of {@link AdapterInPeftTest}, by hand, below the directory given. */
final class MakeJavaAdapter {
  private MakeJavaAdapter() {}

  public static void main(String[] arguments) throws Exception {
    System.out.println(PeftParityTest.trainPlain(Path.of(arguments[0])));
  }
}
