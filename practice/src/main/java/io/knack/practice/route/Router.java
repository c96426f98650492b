package io.knack.practice.route;

import io.knack.contracts.Manifest;
import io.knack.contracts.Message;
import io.knack.contracts.id.TenantId;
import io.knack.practice.features.FeatureSpace;
import io.knack.practice.prompt.PromptForm;
import java.util.List;

/** Decides which memory of a manifest a problem gets. Safe for use by many threads. */
public final class Router {
  /** Episodes in a prompt at most: beyond about three the paper saw no more gain. */
  public static final int MAX_EPISODES = 3;

  private final Manifest manifest;
  private final FeatureSpace space;
  private final PromptForm form;

  /**
   * @throws io.knack.contracts.stage.ContractException when the manifest's vectors live in another
   *     space
   */
  public Router(Manifest manifest, FeatureSpace space, PromptForm form) {
    this.manifest = manifest;
    this.space = space;
    this.form = form;
  }

  public Route route(List<Message> request, TenantId tenant) {
    throw new UnsupportedOperationException(
        "written next: " + request + tenant + manifest + space + form);
  }
}
