package io.knack.practice;

import io.knack.contracts.Message;
import io.knack.contracts.stage.PlanException;
import io.knack.llm.Completion;
import io.knack.llm.FinishReason;
import io.knack.llm.GenerationListener;
import io.knack.llm.GenerationRequest;
import io.knack.llm.GenerationSession;
import io.knack.llm.LanguageModel;
import io.knack.llm.Prompt;
import io.knack.llm.Sample;
import io.knack.llm.TokenUsage;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * A model whose every reply is known. A token is a word or a line break. It keeps a batch of a
 * given width and generates one token of each running sample per step, so that cancellation meets
 * samples that are half done.
 */
public final class ScriptedModel implements LanguageModel {
  /** What the model says to a prompt. */
  @FunctionalInterface
  public interface Script {
    /**
     * @param seed of the request
     * @param index of the sample
     */
    String reply(String prompt, long seed, int index);
  }

  private final Script script;
  private final int width;
  public final List<GenerationRequest> requests = Collections.synchronizedList(new ArrayList<>());
  public int openSessions;
  public int sessions;
  public int widest;
  public int context = Integer.MAX_VALUE;
  public long steps;

  /** Samples running when a session was closed: there must be none. */
  public int leftRunning;

  public ScriptedModel(int width, Script script) {
    this.width = width;
    this.script = script;
  }

  public static String text(Prompt prompt) {
    if (prompt instanceof Prompt.Text plain) {
      return plain.text();
    }
    if (prompt instanceof Prompt.Chat chat) {
      return chat.messages().stream()
          .map((Message m) -> "<" + m.role().wire() + ">" + m.content())
          .collect(Collectors.joining("\n"));
    }
    throw new IllegalArgumentException("" + prompt);
  }

  public static List<String> tokens(String text) {
    List<String> tokens = new ArrayList<>();
    for (String part : text.replace("\n", " \n ").split(" +", -1)) {
      if (!part.isEmpty()) {
        tokens.add(part);
      }
    }
    return tokens;
  }

  @Override
  public String name() {
    return "scripted";
  }

  @Override
  public int maxContext() {
    return context;
  }

  @Override
  public int countTokens(String text) {
    return tokens(text).size();
  }

  @Override
  public GenerationSession open() {
    if (openSessions > 0) {
      throw new IllegalStateException("sessions of a model run one at a time");
    }
    openSessions++;
    sessions++;
    return new Session();
  }

  @Override
  public void close() {}

  private final class Session implements GenerationSession {
    private final Deque<Running> waiting = new ArrayDeque<>();
    private final List<Running> running = new ArrayList<>();

    @Override
    public Handle submit(GenerationRequest request, GenerationListener listener) {
      requests.add(request);
      String prompt = text(request.prompt());
      Asked asked = new Asked(request, listener, tokens(prompt).size());
      for (int i = 0; i < request.samples(); i++) {
        Long seed = request.sampling().seed();
        String reply = script.reply(prompt, seed == null ? -1 : seed, i);
        asked.left++;
        waiting.add(new Running(asked, i, reply));
      }
      return () -> {
        List<Running> mine = new ArrayList<>();
        for (Running r : waiting) {
          if (r.asked == asked) {
            mine.add(r);
          }
        }
        for (Running r : running) {
          if (r.asked == asked) {
            mine.add(r);
          }
        }
        waiting.removeAll(mine);
        running.removeAll(mine);
        mine.forEach(r -> r.end(FinishReason.CANCELLED));
      };
    }

    @Override
    public void run() {
      while (!waiting.isEmpty() || !running.isEmpty()) {
        while (running.size() < width && !waiting.isEmpty()) {
          running.add(waiting.remove());
        }
        widest = Math.max(widest, running.size());
        steps++;
        for (Running r : List.copyOf(running)) {
          if (running.contains(r)) {
            FinishReason reason = r.step();
            if (reason != null) {
              running.remove(r);
              r.end(reason);
            }
          }
        }
      }
    }

    @Override
    public void close() {
      openSessions--;
      leftRunning += waiting.size() + running.size();
    }
  }

  private static final class Asked {
    private final GenerationRequest request;
    private final GenerationListener listener;
    private final long promptTokens;
    private final Map<Integer, Sample> samples = new HashMap<>();
    private int left;

    Asked(GenerationRequest request, GenerationListener listener, long promptTokens) {
      this.request = request;
      this.listener = listener;
      this.promptTokens = promptTokens;
    }
  }

  private static final class Running {
    private final Asked asked;
    private final int index;
    private final String reply;
    private final int total;
    private int done;

    Running(Asked asked, int index, String reply) {
      this.asked = asked;
      this.index = index;
      String cut = reply;
      for (String stop : asked.request.sampling().stop()) {
        int at = cut.indexOf(stop);
        cut = at < 0 ? cut : cut.substring(0, at);
      }
      this.reply = cut;
      this.total = tokens(cut).size() + 1; // the stop token is paid for
    }

    @org.jspecify.annotations.Nullable
    FinishReason step() {
      done++;
      if (done >= total) {
        return FinishReason.STOP;
      }
      return done >= asked.request.sampling().maxTokens() ? FinishReason.LENGTH : null;
    }

    void end(FinishReason reason) {
      String text =
          reason == FinishReason.STOP
              ? reply
              : tokens(reply).stream().limit(done).collect(Collectors.joining(" "));
      if (reply.startsWith("REFUSE")) {
        asked.listener.failed(new PlanException("the endpoint refuses with status 401"));
        return;
      }
      if (reply.startsWith("FAIL")) {
        asked.listener.failed(new IllegalStateException("the endpoint said 500"));
        return;
      }
      Sample sample = new Sample(index, List.of(), text, null, reason, done);
      asked.samples.put(index, sample);
      asked.left--;
      asked.listener.sampled(sample);
      if (asked.left == 0) {
        long tokens = asked.samples.values().stream().mapToLong(Sample::completionTokens).sum();
        List<Sample> ordered = new ArrayList<>();
        for (int i = 0; i < asked.request.samples(); i++) {
          ordered.add(asked.samples.get(i));
        }
        asked.listener.completed(
            new Completion(
                List.of(), null, ordered, new TokenUsage(asked.promptTokens, 1, tokens, 7)));
      }
    }
  }
}
