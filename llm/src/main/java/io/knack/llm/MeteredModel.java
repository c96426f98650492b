package io.knack.llm;

import io.knack.contracts.stage.Allowance;

/**
 * A model whose every answer is booked to an {@link Allowance}. When the allowance is used up the
 * session that runs ends with its {@link io.knack.contracts.stage.TemporaryException}.
 */
public final class MeteredModel implements LanguageModel {
  private final LanguageModel model;
  private final Allowance allowance;

  public MeteredModel(LanguageModel model, Allowance allowance) {
    this.model = model;
    this.allowance = allowance;
  }

  @Override
  public String name() {
    return model.name();
  }

  @Override
  public int maxContext() {
    return model.maxContext();
  }

  @Override
  public int countTokens(String text) {
    return model.countTokens(text);
  }

  @Override
  public GenerationSession open() {
    GenerationSession session = model.open();
    return new GenerationSession() {
      @Override
      public Handle submit(GenerationRequest request, GenerationListener listener) {
        return session.submit(request, new Booking(listener));
      }

      @Override
      public void run() {
        session.run();
      }

      @Override
      public void close() {
        session.close();
      }
    };
  }

  @Override
  public void close() {
    model.close();
  }

  private final class Booking implements GenerationListener {
    private final GenerationListener listener;

    Booking(GenerationListener listener) {
      this.listener = listener;
    }

    @Override
    public void sampled(Sample sample) {
      listener.sampled(sample);
    }

    @Override
    public void completed(Completion completion) {
      TokenUsage usage = completion.usage();
      allowance.spend(usage.promptTokens(), usage.cachedPromptTokens(), usage.completionTokens());
      listener.completed(completion);
    }

    @Override
    public void spent(TokenUsage usage) {
      allowance.spend(usage.promptTokens(), usage.cachedPromptTokens(), usage.completionTokens());
      listener.spent(usage);
    }

    @Override
    public void failed(RuntimeException problem) {
      listener.failed(problem);
    }
  }
}
