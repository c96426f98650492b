package io.knack.trainer;

import static org.assertj.core.api.Assertions.assertThat;

import io.knack.contracts.cli.KnackCli;
import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

class DeviceDoctorCommandTest {
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  private int run(String... arguments) {
    CommandLine line = KnackCli.commandLine(new CommandLine(new Main()));
    line.setOut(new PrintWriter(out, true));
    line.setErr(new PrintWriter(err, true));
    return line.execute(arguments);
  }

  @Test
  void theCpuAgreesWithItself() {
    assertThat(run("doctor", "--device", "cpu", "--json")).isZero();
    assertThat(out.toString()).contains("\"steps\":10,\"agrees\":true");
  }

  @Test
  void aDeviceThatIsNotThereIsTemporary() {
    assertThat(run("doctor", "--device", "gpu:63")).isEqualTo(75);
    assertThat(err.toString()).contains("device 'gpu:63' is not there");
  }
}
