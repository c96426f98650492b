package io.knack.practice.route;

import io.knack.contracts.Manifest.EpisodeText;
import io.knack.contracts.Manifest.RuleText;
import io.knack.contracts.Message;
import io.knack.practice.prompt.PromptForm;
import io.knack.practice.prompt.Prompts;
import java.util.List;

/** Builds the messages of a request with rules and episodes in front. Without any: as they are. */
public final class MemoryPrompt {
  private final Prompts prompts;

  public MemoryPrompt(PromptForm form) {
    this.prompts = Prompts.of(form);
  }

  /**
   * @param request as the client sent it
   * @param rules in the order in which they enter the prompt
   * @param episodes likewise; the nearest last
   */
  public List<Message> messages(
      List<Message> request, List<RuleText> rules, List<EpisodeText> episodes) {
    return prompts.problem(request, rules, episodes);
  }
}
