package io.knack.tracking;

/**
 * A version of a registered model, named before a server has numbered it.
 *
 * @param model the registered model's name
 * @param key unique among the model's versions, such as the artifact's digest; the version carries
 *     it as the tag {@value #KEY_TAG}
 */
public record ModelVersion(String model, String key) {
  public static final String KEY_TAG = "knack.key";

  public ModelVersion {
    if (model.isBlank() || key.isBlank()) {
      throw new IllegalArgumentException("a model version needs a model and a key");
    }
  }
}
