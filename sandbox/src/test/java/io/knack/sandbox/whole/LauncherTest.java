package io.knack.sandbox.whole;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class LauncherTest {
  @TempDir Path scratch;

  /** Cron, systemd and containers set no locale: a letter beyond ASCII is the same bytes there. */
  @Test
  void argumentsAreUtf8InEveryLocale() throws IOException, InterruptedException {
    List<String> generate =
        List.of(
            "generate",
            "--model",
            "llm/src/test/resources/parity/llama2",
            "--prompt",
            "J\u00fcrgen \u65e5",
            "--max-tokens",
            "0",
            "--json");
    JsonNode ids = null;
    for (String locale : List.of("C.UTF-8", "C", "POSIX", "")) {
      Knack.Ending ending = new Knack(scratch).run(Map.of("LC_ALL", locale, "LANG", ""), generate);
      JsonNode found = ending.succeeded().json().at("/0/prompt_ids");
      ids = ids == null ? found : ids;
      assertThat((Object) found).as(locale).isEqualTo(ids);
      assertThat(found.size()).isEqualTo("J\u00fcrgen ".length() + 1 + 3);
    }
  }

  @Test
  void aJavaHomeThatIsNoneIsNamed() throws IOException, InterruptedException {
    Knack.Ending ending =
        new Knack(scratch).run(Map.of("JAVA_HOME", "/nowhere"), List.of("doctor"));
    assertThat(ending.code()).isEqualTo(2);
    assertThat(ending.err())
        .isEqualTo(
            "knack: JAVA_HOME is /nowhere, which has no bin/java; correct it, or unset it to use"
                + " the PATH");
  }
}
