package io.knack.contracts.catalogue;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.networknt.schema.InputFormat;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import io.knack.contracts.Manifest;
import io.knack.contracts.RuleSet;
import io.knack.contracts.store.ArtifactCard;
import io.knack.contracts.store.Jsons;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class CatalogueTest {
  private static final Path ROOT = Path.of(System.getProperty("knack.root"));

  @Test
  void theFilesOfTheRepositoryAreWhatTheRecordsSay() throws IOException {
    for (Map.Entry<String, String> file : Catalogue.files().entrySet()) {
      assertThat(Files.readString(ROOT.resolve(file.getKey())))
          .as(file.getKey() + "; Catalogue's main writes it anew")
          .isEqualTo(file.getValue());
    }
  }

  /** Documents of the first release: they must load and validate for ever. */
  @Test
  void goldenDocumentsLoadAndValidate() throws IOException {
    Map<String, Class<? extends Record>> golden =
        Map.of("artifact", ArtifactCard.class, "manifest", Manifest.class, "rules", RuleSet.class);
    for (Map.Entry<String, Class<? extends Record>> document : golden.entrySet()) {
      String json = Files.readString(ROOT.resolve("data/golden/v1/" + document.getKey() + ".json"));
      Record loaded = Jsons.mapper().readValue(json, document.getValue());
      JsonNode again = Jsons.mapper().readTree(Jsons.mapper().writeValueAsString(loaded));
      assertThat(again).isEqualTo(Jsons.mapper().readTree(json));
      Schema schema =
          SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12)
              .getSchema(
                  Files.readString(
                      ROOT.resolve("data/schemas/" + document.getKey() + ".schema.json")));
      assertThat(schema.validate(json, InputFormat.JSON)).as(document.getKey()).isEmpty();
      assertThat(schema.validate("{}", InputFormat.JSON)).as("an empty document").isNotEmpty();
    }
  }
}
