package io.knack.contracts.show;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.knack.contracts.store.Jsons;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

final class DoctorCommandTest {
  @TempDir Path home;

  /** What is not well is told by finding, with advice, and verb by verb. */
  @Test
  void whatIsLackingIsToldVerbByVerb() throws IOException {
    StringWriter out = new StringWriter();
    new CommandLine(new DoctorCommand())
        .setOut(new PrintWriter(out))
        .execute("--json", "--home", home.toString());
    JsonNode document = Jsons.mapper().readTree(out.toString());
    Set<String> lacking = new TreeSet<>();
    for (JsonNode finding : document.path("findings")) {
      assertThat(finding.path("found").asText()).isNotEmpty();
      if (finding.path("state").asText().equals("ok")) {
        assertThat(finding.path("advice").asText()).as("%s", finding).isEmpty();
      } else {
        assertThat(finding.path("advice").asText()).as("%s", finding).isNotEmpty();
        lacking.addAll(Set.of(finding.path("verbs").asText().split(", ", -1)));
      }
    }
    Set<String> told = new TreeSet<>();
    document.path("lacking").fieldNames().forEachRemaining(told::add);
    // Tests start without the launcher, so the shipped checkpoint is not found beside it.
    assertThat(told).isEqualTo(lacking).contains("demo", "sandbox");
  }

  @Test
  void anAddressThatMlflowCannotHaveIsLacking() {
    assertThat(DoctorCommand.mlflow("").state()).isEqualTo("ok");
    for (String uri : Set.of("localhost:5000", "http://[bad", "databricks")) {
      DoctorCommand.Finding finding = DoctorCommand.mlflow(uri);
      assertThat(finding.state()).as(uri).isEqualTo("lacking");
      assertThat(finding.found())
          .isEqualTo(
              "MLFLOW_TRACKING_URI is '"
                  + uri
                  + "', expected an http or https address such as http://localhost:8000");
    }
    assertThat(DoctorCommand.mlflow("http://u:s3cret@h:5000").found())
        .startsWith("MLFLOW_TRACKING_URI must not hold a user name or password")
        .doesNotContain("s3cret");
  }
}
