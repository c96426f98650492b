package io.knack.llm.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.knack.contracts.stage.ContractException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Headers as strangers may write them. */
class SafetensorsFileTest {
  @TempDir private Path directory;

  private Path file(long length, String header, int data) throws IOException {
    byte[] json = header.getBytes(StandardCharsets.UTF_8);
    ByteBuffer bytes = ByteBuffer.allocate(8 + json.length + data).order(ByteOrder.LITTLE_ENDIAN);
    bytes.putLong(length).put(json);
    return Files.write(directory.resolve("x.safetensors"), bytes.array());
  }

  private Path file(String header, int data) throws IOException {
    return file(header.getBytes(StandardCharsets.UTF_8).length, header, data);
  }

  @Test
  void whatIsWellFormedIsRead() throws IOException {
    Path path =
        file(
            "{\"__metadata__\":{\"format\":\"pt\"},\"b\":{\"dtype\":\"F32\",\"shape\":[2,1],"
                + "\"data_offsets\":[2,10]},\"a\":{\"dtype\":\"BF16\",\"shape\":[],"
                + "\"data_offsets\":[0,2]}}   ",
            10);
    SafetensorsFile file = SafetensorsFile.open(path);
    assertThat(file.metadata()).containsEntry("format", "pt");
    assertThat(file.entry("b").shape()).isEqualTo(List.of(2L, 1L));
    assertThat(file.entry("a").bytes()).isEqualTo(2);
    assertThatThrownBy(() -> file.entry("c")).hasMessageContaining("has no tensor 'c'");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{'a':{'dtype':'F32','shape':[1],'data_offsets':[0,4]},'b':{'dtype':'F32','shape':[1],"
            + "'data_offsets':[2,6]}} | 6 | 'b' starts at byte",
        "{'a':{'dtype':'F32','shape':[1],'data_offsets':[-4,0]}} | 4 | has -4",
        "{'a':{'dtype':'F32','shape':[1],'data_offsets':[4,8]}} | 8 | 'a' starts at byte",
        "{'a':{'dtype':'F32','shape':[1],'data_offsets':[0,4]}} | 9 | the tensors end at byte",
        "{'a':{'dtype':'F32','shape':[2],'data_offsets':[0,4]}} | 4 | F32 [2] takes 8",
        "{'a':{'dtype':'F32','shape':[4611686018427387904,4],'data_offsets':[0,0]}} | 0 |"
            + " overflows",
        "{'a':{'dtype':'U8','shape':[9223372036854775807],'data_offsets':[0,9223372036854775807]}}"
            + " | 4 | beyond any file",
        "{'a':{'dtype':'F32','shape':[1e3],'data_offsets':[0,4]}} | 4 | has 1e3",
        "{'a':{'dtype':'F32','shape':[99999999999999999999],'data_offsets':[0,4]}} | 4 | shape has",
        "{'a':{'dtype':'F32','shape':[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1],'data_offsets':[0,4]}}"
            + " | 4 | more than 16",
        "{'a':{'dtype':'F8_E4M3','shape':[1],'data_offsets':[0,1]}} | 1 | F8_E4M3",
        "{'a':{'dtype':'F32','shape':[1]}} | 4 | lacks shape or data_offsets",
        "{'a':[]} | 0 | not an object",
        "{'a':{'dtype':'F32','shape':[1],'data_offsets':[0,4]},'a':{'dtype':'F32','shape':[1],"
            + "'data_offsets':[4,8]}} | 8 | Duplicate field",
        "[1,2] | 0 | not a JSON object",
        "{} {} | 0 | goes on after",
        "{'a' | 0 | not JSON",
      })
  void whatIsNotIsRefusedInWords(String header, int data, String words) throws IOException {
    Path path = file(header.strip().replace('\'', '"'), data);
    assertThatThrownBy(() -> SafetensorsFile.open(path))
        .isInstanceOf(ContractException.class)
        .hasMessageContaining("x.safetensors")
        .hasMessageContaining(words.strip());
  }

  @Test
  void lengthsThatCannotBeAreRefusedBeforeAnythingIsRead() throws IOException {
    for (long length : new long[] {-1, 0, 1, 100_000_001, Long.MIN_VALUE, Long.MAX_VALUE}) {
      Path path = file(length, "{}", 0);
      assertThatThrownBy(() -> SafetensorsFile.open(path))
          .isInstanceOf(ContractException.class)
          .hasMessageContaining("header length");
    }
    Path path = file(1000, "{}", 0);
    assertThatThrownBy(() -> SafetensorsFile.open(path)).hasMessageContaining("truncated");
    Path deep = file("{\"a\":".repeat(5000), 0);
    assertThatThrownBy(() -> SafetensorsFile.open(deep)).isInstanceOf(ContractException.class);
  }
}
