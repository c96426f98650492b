package io.knack.spark.imports;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.regex.Pattern;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Damaged copies of a whole log: nothing is lost, nothing fails, and what is whole is read. */
final class BrokenCopiesTest {
  @TempDir Path dir;
  private String log = "";
  private List<String> lines = List.of();
  private int lineCount;

  @BeforeEach
  void log() throws IOException {
    log =
        Files.readString(
            Path.of(System.getProperty("knack.root", ".."), "data/logs/support.jsonl"));
    lines = log.lines().toList();
    lineCount = lines.size();
  }

  @Test
  void theWholeLogIsRead() throws IOException {
    Reading read = copy("whole.jsonl", bytes(log));

    assertThat(read.interactions()).hasSize(lineCount);
    assertThat(read.quarantined()).isEmpty();
  }

  @Test
  void aCutLogLosesItsLastLineAlone() throws IOException {
    byte[] all = bytes(log);
    Reading read = copy("cut.jsonl", Arrays.copyOf(all, all.length - 100));

    assertThat(read.interactions()).hasSize(lineCount - 1);
    assertThat(read.reasons()).containsExactly("line is no JSON");
    assertThat(read.quarantined().get(0).line()).isEqualTo(lineCount);
    assertThat(read.quarantined().get(0).source()).isEqualTo("cut.jsonl");
    assertThat(read.quarantined().get(0).rawDigest()).hasSize(64);
  }

  @Test
  void aCutArchiveSaysSoAndKeepsWhatIsBeforeIt() throws IOException {
    byte[] packed = gzip(bytes(log));
    Reading read = copy("cut.jsonl.gz", Arrays.copyOf(packed, packed.length / 2));

    assertThat(read.interactions()).hasSizeBetween(lineCount / 4, lineCount - 1);
    assertThat(read.reasons()).containsExactly(Lines.CUT_OFF);
    assertThat(copy("whole.gz", packed).interactions()).hasSize(lineCount);
  }

  @Test
  void anotherEncodingIsReadWhenItIsNamedAndQuarantinedWhenNot() throws IOException {
    String latin = lines.get(0).replace("bill", "Gebühr") + "\n" + lines.get(1) + "\n";
    byte[] one = latin.getBytes(StandardCharsets.ISO_8859_1);

    assertThat(copy("latin.jsonl", one).reasons())
        .containsExactly("not in the character set of the plan's encoding");
    assertThat(copy("latin.jsonl", one, "encoding=windows-1252").interactions()).hasSize(2);
    assertThat(copy("wide.jsonl", log.getBytes(StandardCharsets.UTF_16)).interactions())
        .hasSize(lineCount);
    byte[] unmarked = log.getBytes(StandardCharsets.UTF_16LE);
    Reading wrong = copy("unmarked.jsonl", unmarked);
    assertThat(wrong.interactions()).isEmpty();
    assertThat(wrong.quarantined()).hasSizeGreaterThanOrEqualTo(lineCount);
    assertThat(copy("unmarked.jsonl", unmarked, "encoding=utf-16le").interactions())
        .hasSize(lineCount);
  }

  @Test
  void marksLineEndsAndEmptyLinesDoNotMatter() throws IOException {
    String windows = "\uFEFF" + String.join("\r\n\r\n  \r\n", lines) + "\r\n";

    assertThat(copy("windows.jsonl", bytes(windows)).interactions()).hasSize(lineCount);
    assertThat(copy("endless.jsonl", bytes(String.join("\n", lines))).interactions())
        .hasSize(lineCount);
  }

  @Test
  void flippedBytesCostTheLinesThatTheyHit() throws IOException {
    for (long seed = 1; seed <= 5; seed++) {
      byte[] bytes = flipped(bytes(log), 0.01, seed, false);
      long expected =
          Pattern.compile("\n")
              .splitAsStream(new String(bytes, StandardCharsets.ISO_8859_1))
              .filter(line -> !line.isBlank())
              .count();
      Reading read = copy("flipped.jsonl", bytes);

      assertThat(read.records()).as("seed %d", seed).isEqualTo((int) expected);
      assertThat(read.reasons()).noneMatch(reason -> reason.startsWith("reader failed"));
    }
  }

  @Test
  void aHugeLineGoesToQuarantineAloneAndIsNeverHeld() throws IOException {
    Path file = dir.resolve("huge.jsonl");
    try (OutputStream out = Files.newOutputStream(file)) {
      out.write(bytes(lines.get(0) + "\n{\"request\":\""));
      byte[] block = bytes("x".repeat(1 << 20));
      for (int i = 0; i < 50; i++) {
        out.write(block);
      }
      out.write(bytes("\"}\n" + lines.get(1) + "\n"));
    }
    Reading read = Reading.of(file);

    assertThat(read.interactions()).hasSize(2);
    assertThat(read.reasons()).containsExactly("line of more than 8388608 bytes (max_line_bytes)");
    assertThat(read.quarantined().get(0).line()).isEqualTo(2);
  }

  @Test
  void strangeLinesAreQuarantinedOneByOne() throws IOException {
    String deep = "[".repeat(100_000) + "]".repeat(100_000);
    List<String> strange =
        List.of(
            "{\"request\":{\"messages\":" + deep + "},\"response\":{}}",
            deep,
            "{\"a\":" + "9".repeat(5000) + "}",
            "{\"request\":{\"messages\":[{\"role\":\"user\",\"content\":1e999999}]},\"response\":{}}",
            "{\"request\":{\"messages\":[{\"role\":\"wizard\",\"content\":\"x\"}]},\"response\":{}}",
            "{\"request\":{\"messages\":[]},\"response\":{}}",
            "{\"re\u0000quest\":{}}",
            "\u0000\u0000\u0000",
            "null",
            "42",
            "[]",
            "{}",
            "{\"some\":\"thing\"}",
            "<html>502 Bad Gateway</html>",
            "{\"a\":1} {\"b\":2}");
    Reading read = copy("strange.jsonl", bytes(String.join("\n", strange) + "\n" + log));

    assertThat(read.records()).isEqualTo(strange.size() + lineCount);
    assertThat(read.quarantined()).hasSizeBetween(strange.size() - 1, strange.size());
    assertThat(read.reasons()).noneMatch(reason -> reason.startsWith("reader failed"));
    assertThat(read.quarantined()).allMatch(line -> line.rawDigest().matches("[0-9a-f]{64}"));
  }

  @Test
  void nothingAtAllIsNothing() throws IOException {
    for (String name : List.of("empty.jsonl", "empty.json", "empty.jsonl.gz", "empty.csv")) {
      Files.write(dir.resolve(name), new byte[0]);
      String map = name.endsWith("csv") ? "map={prompt: a}" : "map={}";
      if (!name.endsWith("csv")) {
        assertThat(Reading.of(dir.resolve(name), map).records()).as(name).isZero();
      }
    }
    assertThat(copy("zeros.jsonl", new byte[4096]).reasons()).containsExactly("line is no JSON");
  }

  // ---- documents

  @Test
  void aDocumentIsReadWhateverItsShape() throws IOException {
    for (String document : documents()) {
      assertThat(copy("log.json", bytes(document)).interactions()).hasSize(lineCount);
    }
  }

  @Test
  void aBrokenElementCostsItselfAlone() throws IOException {
    for (String document : documents()) {
      int middle = document.indexOf("chatcmpl-sample-0007") + 4;
      for (String junk : List.of("\"", "}", "{", "]", "[", ",", "\\", "\n", "\u0000", "\"}]}{")) {
        String broken = document.substring(0, middle) + junk + document.substring(middle);
        Reading read = copy("log.json", bytes(broken));

        assertThat(read.interactions())
            .as("%s in %s", junk, document.substring(0, 20))
            .hasSizeGreaterThanOrEqualTo(lineCount - 2);
        assertThat(read.interactions().size() + read.quarantined().size())
            .isGreaterThanOrEqualTo(lineCount - 1);
      }
    }
  }

  @Test
  void aCutDocumentKeepsWhatIsBeforeTheCut() throws IOException {
    for (String document : documents()) {
      byte[] all = bytes(document);
      Reading read = copy("log.json", Arrays.copyOf(all, all.length - 200));

      assertThat(read.interactions()).hasSize(lineCount - 1);
      assertThat(read.reasons()).contains("element without an end");
      Reading packed = copy("log.json.gz", Arrays.copyOf(gzip(all), gzip(all).length / 2));
      assertThat(packed.interactions()).hasSizeGreaterThan(lineCount / 4);
      assertThat(packed.reasons()).contains(Lines.CUT_OFF);
    }
  }

  @Test
  void flippedBytesOfADocumentCostTheElementsThatTheyHit() throws IOException {
    for (String document : documents()) {
      byte[] bytes = flipped(bytes(document), 0.0002, 7, true);
      Reading read = copy("log.json", bytes);

      assertThat(read.interactions()).hasSizeGreaterThan(lineCount / 2);
      assertThat(read.quarantined()).isNotEmpty();
      assertThat(read.interactions().size() + read.quarantined().size())
          .isGreaterThanOrEqualTo(lineCount * 3 / 4);
    }
  }

  /** The log as an array by element and line, as one line, and as values one after the other. */
  private List<String> documents() {
    List<String> pretty =
        lines.stream()
            .map(
                line ->
                    line.replace("{\"request\": ", "{\n    \"request\": ")
                        .replaceAll("}$", "\n  }"))
            .toList();
    return List.of(
        "[\n  " + String.join(",\n  ", pretty) + "\n]\n",
        "[" + String.join(", ", lines) + "]",
        String.join("\n  ", pretty) + "\n");
  }

  // ---- copies

  private Reading copy(String name, byte[] bytes, String... overrides) throws IOException {
    Path file = dir.resolve(name);
    Files.write(file, bytes);
    Reading read = Reading.of(file, overrides);
    Files.delete(file);
    return read;
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static byte[] gzip(byte[] bytes) throws IOException {
    ByteArrayOutputStream packed = new ByteArrayOutputStream();
    try (OutputStream out = new GZIPOutputStream(packed)) {
      out.write(bytes);
    }
    return packed.toByteArray();
  }

  private static byte[] flipped(byte[] bytes, double share, long seed, boolean structured) {
    Random random = new Random(seed);
    byte[] copy = bytes.clone();
    for (int i = structured ? 300 : 0; i < copy.length; i++) {
      if (random.nextDouble() < share) {
        copy[i] = (byte) random.nextInt(256);
      }
    }
    return copy;
  }
}
