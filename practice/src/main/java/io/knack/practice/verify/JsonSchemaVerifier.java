package io.knack.practice.verify;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.networknt.schema.Error;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Right when the answer is JSON that a schema accepts. Schemas are never fetched. */
final class JsonSchemaVerifier implements Verifier {
  private static final Pattern FENCE = Pattern.compile("(?s)```(?:json)?\\s*(.*?)```");
  private static final JsonMapper JSON = mapper();

  private final @Nullable Schema schema;
  private final boolean equalsReference;

  private static JsonMapper mapper() {
    JsonMapper mapper =
        JsonMapper.builder()
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .build();
    mapper
        .getFactory()
        .setStreamReadConstraints(
            StreamReadConstraints.builder()
                .maxNestingDepth(200)
                .maxStringLength(1 << 22)
                .maxDocumentLength(1L << 23)
                .build());
    return mapper;
  }

  JsonSchemaVerifier(Options options, Path directory) {
    equalsReference = options.flag("equals_reference", false);
    String inline = options.optional("schema");
    String file = options.optional("schema_file");
    if ((inline == null) == (file == null)) {
      options.problem("schema", inline == null ? "nothing" : "both", "schema or schema_file");
      schema = null;
    } else if (inline != null) {
      schema = options.read("schema", inline, JsonSchemaVerifier::compiled);
    } else {
      schema =
          options.read(
              "schema_file", String.valueOf(file), name -> compiled(read(directory.resolve(name))));
    }
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new IllegalArgumentException("cannot read " + file, e);
    }
  }

  private static Schema compiled(String text) {
    try {
      Schema schema =
          SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12)
              .getSchema(JSON.readTree(text));
      schema.initializeValidators();
      return schema;
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException("not JSON: " + e.getOriginalMessage(), e);
    }
  }

  @Override
  public Verification verify(Check check) {
    long started = System.nanoTime();
    JsonNode given;
    try {
      given = JSON.readTree(bare(check.answer()));
    } catch (JsonProcessingException e) {
      return Checked.score(0, "not JSON: " + Checked.brief(e.getOriginalMessage()), started);
    }
    List<Error> errors = schema == null ? List.of() : schema.validate(given);
    if (!errors.isEmpty()) {
      return Checked.score(0, Checked.brief(errors.get(0).toString()), started);
    }
    if (equalsReference) {
      if (check.reference() == null) {
        return Checked.fault(
            "verifier json_schema was told to compare, without reference", started);
      }
      try {
        return JSON.readTree(check.reference()).equals(given)
            ? Checked.score(1, "valid and equal", started)
            : Checked.score(0, "valid but not equal to the reference", started);
      } catch (JsonProcessingException e) {
        return Checked.fault("the reference is not JSON", started);
      }
    }
    return Checked.score(1, "valid", started);
  }

  /** What stands in the last fence, or the whole answer. */
  private static String bare(String answer) {
    Matcher fence = FENCE.matcher(answer);
    String text = answer;
    while (fence.find()) {
      text = fence.group(1);
    }
    return text.strip();
  }
}
