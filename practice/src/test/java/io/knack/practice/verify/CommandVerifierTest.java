package io.knack.practice.verify;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.knack.contracts.VerifierSpec;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class CommandVerifierTest {

  private static Verifier command(String mode, String... options) throws Exception {
    Map<String, String> all = new HashMap<>();
    all.put("mode", mode);
    all.put(
        "command",
        new ObjectMapper()
            .writeValueAsString(
                List.of(
                    Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "-XX:+UseSerialGC",
                    "-XX:TieredStopAtLevel=1",
                    "-Xmx1g",
                    "-cp",
                    System.getProperty("java.class.path"),
                    EchoCommand.class.getName())));
    for (int i = 0; i < options.length; i += 2) {
      all.put(options[i], options[i + 1]);
    }
    return Verifiers.of(new VerifierSpec("command", all));
  }

  @Test
  void onceReadsTheLastLineOrTheExitStatus() throws Exception {
    try (Verifier verifier = command("once")) {
      assertThat(verifier.verify("p", "steps\nA: 42", "42").score()).isEqualTo(1);
      assertThat(verifier.verify("p", "A: 41", "42").score()).isEqualTo(0.25);
      assertThat(verifier.verify("p", "A: quiet", "42").score()).isEqualTo(1);
      Verification died = verifier.verify("p", "A: die", "42");
      assertThat(died.score()).isZero();
      assertThat(died.reason()).startsWith("exit status 3");
    }
  }

  @Test
  void onceHoldsTimeAndMemory() throws Exception {
    try (Verifier verifier = command("once", "timeout", "1500ms")) {
      assertThat(verifier.verify("p", "A: hang", "42").reason())
          .isEqualTo("stopped: more than 1500 ms");
    }
    try (Verifier verifier = command("once", "timeout", "30s", "memory", "200m")) {
      assertThat(verifier.verify("p", "A: eat", "42").reason())
          .isEqualTo("stopped: more than 200 MB of memory");
    }
  }

  @Test
  void nothingOfOurEnvironmentButThePathIsHandedOn() throws Exception {
    try (Verifier verifier = command("lines")) {
      String names = verifier.verify("p", "A: environment", "42").reason();
      assertThat(List.of(names.split(",", -1)))
          .isSubsetOf(
              "KNACK_VERIFIER",
              "PATH",
              "LANG",
              "LC_ALL",
              "TZ",
              "TMPDIR",
              "JAVA_HOME",
              "HOME",
              "LD_LIBRARY_PATH");
      assertThat(names).contains("PATH").doesNotContain("DJL_OFFLINE");
    }
  }

  @Test
  void linesKeepsOneProcessBusyAndEachReplyFindsItsCheck() throws Exception {
    try (Verifier verifier = command("lines")) {
      List<CompletableFuture<Verification>> asked = new ArrayList<>();
      long started = System.nanoTime();
      for (int i = 0; i < 5000; i++) {
        asked.add(verifier.submit(new Check("p", "A: " + i, Integer.toString(i - i % 2))));
      }
      for (int i = 0; i < asked.size(); i++) {
        assertThat(asked.get(i).join().score()).isEqualTo(i % 2 == 0 ? 1 : 0.25);
      }
      // Far more than the 150 a second that a busy day asks for.
      assertThat(System.nanoTime() - started).isLessThan(20_000_000_000L);
    }
  }

  @Test
  void linesSurvivesNoiseLongRepliesAndFullPipes() throws Exception {
    try (Verifier verifier = command("lines")) {
      List<CompletableFuture<Verification>> asked = new ArrayList<>();
      String big = "x".repeat(20_000);
      for (int i = 0; i < 300; i++) {
        asked.add(verifier.submit(new Check(big, i % 50 == 7 ? "A: noise" : "A: long", "long")));
      }
      for (int i = 0; i < asked.size(); i++) {
        assertThat(asked.get(i).join().score()).isEqualTo(i % 50 == 7 ? 0.25 : 1);
      }
    }
  }

  @Test
  void linesChargesTheCheckThatHangsAndAsksTheOthersAgain() throws Exception {
    try (Verifier verifier = command("lines", "timeout", "2s")) {
      List<CompletableFuture<Verification>> asked = new ArrayList<>();
      for (int i = 0; i < 20; i++) {
        asked.add(verifier.submit(new Check("p", i == 5 ? "A: hang" : "A: 1", "1")));
      }
      for (int i = 0; i < 20; i++) {
        Verification said = asked.get(i).join();
        assertThat(said.fault()).isNull();
        assertThat(said.score()).isEqualTo(i == 5 ? 0 : 1);
      }
      assertThat(asked.get(5).join().reason()).isEqualTo("stopped: more than 2000 ms");
    }
  }

  @Test
  void linesReportsAFaultForTheCheckThatKillsTwice() throws Exception {
    try (Verifier verifier = command("lines")) {
      List<CompletableFuture<Verification>> asked = new ArrayList<>();
      for (int i = 0; i < 10; i++) {
        asked.add(verifier.submit(new Check("p", i == 3 ? "A: die" : "A: 1", "1")));
      }
      for (int i = 0; i < 10; i++) {
        Verification said = asked.get(i).join();
        if (i == 3) {
          assertThat(said.fault()).isEqualTo("the verifier's command ended");
        } else {
          assertThat(said.fault()).isNull();
          assertThat(said.score()).isEqualTo(1);
        }
      }
    }
  }

  @Test
  void linesHoldsMemory() throws Exception {
    try (Verifier verifier = command("lines", "memory", "200m")) {
      assertThat(verifier.verify("p", "A: eat", "42").reason())
          .isEqualTo("stopped: more than 200 MB of memory");
      assertThat(verifier.verify("p", "A: 1", "1").score()).isEqualTo(1);
    }
  }

  @Test
  void aLineWithoutEndIsCutAndNotHeld() throws Exception {
    try (Verifier lines = command("lines", "timeout", "40s");
        Verifier once = command("once", "timeout", "40s")) {
      assertThat(lines.verify("p", "A: endless", "42").score()).isEqualTo(0.25);
      assertThat(once.verify("p", "A: endless", "42").score()).isEqualTo(0.25);
      assertThat(lines.verify("p", "A: 1", "1").score()).isEqualTo(1);
    }
  }

  @Test
  void aChildThatOutlivesItsParentIsEndedToo() throws Exception {
    try (Verifier once = command("once")) {
      assertThat(once.verify("p", "A: orphan", "42").score()).isEqualTo(1);
      awaitNoOrphan();
    }
    try (Verifier lines = command("lines", "timeout", "3s")) {
      assertThat(lines.verify("p", "A: orphan", "42").score()).isZero();
      awaitNoOrphan();
      assertThat(lines.verify("p", "A: 1", "1").score()).isEqualTo(1);
    }
  }

  private static void awaitNoOrphan() {
    while (ProcessHandle.allProcesses()
        .anyMatch(p -> p.isAlive() && p.info().commandLine().orElse("").contains("98765"))) {
      Thread.onSpinWait();
    }
  }

  @Test
  void aCommandThatNeverReadsIsStoppedAllTheSame() throws Exception {
    Map<String, String> options = new HashMap<>();
    options.put("timeout", "1s");
    options.put("command", "sleep 60");
    String longerThanAnyPipe = "A: " + "x".repeat(1 << 20);
    for (String mode : List.of("once", "lines")) {
      options.put("mode", mode);
      try (Verifier verifier = Verifiers.of(new VerifierSpec("command", options))) {
        assertThat(verifier.verify("p", longerThanAnyPipe, "42").reason())
            .isEqualTo("stopped: more than 1000 ms");
      }
    }
  }

  @Test
  void aShellWouldHaveUnderstood() {
    String words = "echo ; touch /tmp/never | cat $HOME `id`";
    try (Verifier verifier =
        Verifiers.of(new VerifierSpec("command", Map.of("command", words, "mode", "once")))) {
      // All of it is one program's arguments, printed as they are: no verdict, exit status 0.
      assertThat(verifier.verify("p", "A: 1", "1").reason()).contains("; touch /tmp/never | cat");
    }
  }

  @Test
  void aCommandThatDoesNotExistIsAFault() {
    for (String mode : List.of("once", "lines")) {
      try (Verifier verifier =
          Verifiers.of(
              new VerifierSpec("command", Map.of("command", "/no/such/program", "mode", mode)))) {
        assertThat(verifier.verify("p", "A: 1", "1").fault())
            .startsWith("the verifier's command cannot be started");
      }
    }
  }

  @Test
  void closingLeavesNothingRunningAndNobodyWaiting() throws Exception {
    CompletableFuture<Verification> waiting;
    long before = ProcessHandle.current().children().filter(ProcessHandle::isAlive).count();
    Verifier verifier = command("lines");
    assertThat(verifier.verify("p", "A: 1", "1").score()).isEqualTo(1);
    waiting = verifier.submit(new Check("p", "A: hang", "1"));
    verifier.close();
    assertThat(waiting.join().fault()).isEqualTo("the verifier is closed");
    assertThat(verifier.verify("p", "A: 1", "1").fault()).isEqualTo("the verifier is closed");
    while (ProcessHandle.current().children().filter(ProcessHandle::isAlive).count() > before) {
      Thread.onSpinWait();
    }
  }
}
