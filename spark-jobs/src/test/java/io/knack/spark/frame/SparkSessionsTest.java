package io.knack.spark.frame;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.knack.contracts.stage.TemporaryException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class SparkSessionsTest {
  @TempDir Path dir;

  /** One of several places is enough, as for Spark. */
  @Test
  void aPlaceThatCannotBeWrittenIsNamedBeforeSparkStarts() throws IOException {
    Path file = Files.writeString(dir.resolve("file"), "x");
    String below = file.resolve("below").toString();
    assertThatThrownBy(() -> SparkSessions.checkScratch(file + "," + below))
        .isInstanceOf(TemporaryException.class)
        .hasMessage(
            "Spark has no place for what does not fit into memory: "
                + file
                + " is no directory, cannot make "
                + below
                + "; name a directory you may write: KNACK_JAVA_OPTS=-Dspark.local.dir=DIR");
    Path fresh = dir.resolve("fresh");
    assertThatCode(() -> SparkSessions.checkScratch(file + ", " + fresh))
        .doesNotThrowAnyException();
    assertThat(fresh).isDirectory();
  }
}
