package io.knack.spark.curate;

import io.knack.contracts.VerifierSpec;
import io.knack.contracts.id.ClusterId;
import io.knack.contracts.plan.Doc;
import java.io.Serial;
import java.io.Serializable;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Which verifier checks which problems; the first rule that applies counts. */
public record VerifierRule(
    @Doc("exact, numeric, regex, json_schema, choice, command or judge") String kind,
    @Doc("of the verifier") Map<String, String> options,
    @Doc("applies to interactions with this tag, NAME or NAME=VALUE; null for all")
        @Nullable String tag,
    @Doc("applies to this cluster; null for all") @Nullable String cluster)
    implements Serializable {
  @Serial private static final long serialVersionUID = 1L;

  public VerifierRule {
    options = Map.copyOf(options);
  }

  boolean isJudge() {
    return kind.equals("judge");
  }

  VerifierSpec spec() {
    return new VerifierSpec(kind, options);
  }

  boolean applies(Map<String, String> tags, @Nullable ClusterId of) {
    if (cluster != null && (of == null || !of.value().equals(cluster))) {
      return false;
    }
    if (tag == null) {
      return true;
    }
    int equals = tag.indexOf('=');
    return equals < 0
        ? tags.containsKey(tag)
        : tag.substring(equals + 1).equals(tags.get(tag.substring(0, equals)));
  }
}
