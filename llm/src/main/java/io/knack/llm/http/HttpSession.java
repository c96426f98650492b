package io.knack.llm.http;

import io.knack.contracts.stage.KnackException;
import io.knack.contracts.stage.PlanException;
import io.knack.contracts.stage.TemporaryException;
import io.knack.llm.Completion;
import io.knack.llm.FinishReason;
import io.knack.llm.GenerationListener;
import io.knack.llm.GenerationRequest;
import io.knack.llm.GenerationSession;
import io.knack.llm.Sample;
import io.knack.llm.TokenUsage;
import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpResponse;
import java.nio.channels.UnresolvedAddressException;
import java.time.Duration;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The event loop: calls go out asynchronously, whatever they come to is handled on the thread that
 * runs the session. A task is waiting, or out, or paused until its next try, or done.
 */
final class HttpSession implements GenerationSession {
  /** In bytes: 128 samples of some thousand tokens with their log-probabilities fit well. */
  static final long LARGEST_ANSWER = 64L << 20;

  /** In bytes: as much is read of what comes with another status than 200. */
  static final long LARGEST_COMPLAINT = 64L << 10;

  private final HttpModel model;
  private final Deque<Task> waiting = new ArrayDeque<>();
  private final Set<Task> paused = new LinkedHashSet<>();
  private final Set<Task> out = new LinkedHashSet<>();
  private final BlockingQueue<Arrival> arrivals = new LinkedBlockingQueue<>();

  /** What a call came to: a response or a problem. */
  private record Arrival(
      Task task, int call, @Nullable HttpResponse<byte[]> response, @Nullable Throwable problem) {}

  private final class Task implements Handle {
    final GenerationRequest request;
    final GenerationListener listener;
    final long submitted = System.nanoTime();
    final List<Sample> samples = new ArrayList<>();
    long promptTokens;
    long cachedPromptTokens;
    long completionTokens;
    int tries;
    int call;
    long due;
    boolean done;

    /** The endpoint takes one sample a call. */
    boolean singly;

    @Nullable CompletableFuture<HttpResponse<byte[]>> future;

    Task(GenerationRequest request, GenerationListener listener) {
      this.request = request;
      this.listener = listener;
    }

    TokenUsage usage() {
      return new TokenUsage(
          promptTokens,
          cachedPromptTokens,
          completionTokens,
          (System.nanoTime() - submitted) / 1000);
    }

    @Override
    public void cancel() {
      if (done) {
        return;
      }
      withdraw(this);
      for (int i = samples.size(); i < request.samples(); i++) {
        Sample sample = new Sample(i, List.of(), "", null, FinishReason.CANCELLED, 0);
        samples.add(sample);
        listener.sampled(sample);
      }
      complete(this);
    }
  }

  HttpSession(HttpModel model) {
    this.model = model;
  }

  @Override
  public Handle submit(GenerationRequest request, GenerationListener listener) {
    try {
      if (request.samples() < 1) {
        throw new PlanException("samples: must be at least 1, found " + request.samples());
      }
      Wire.body(request, model.name(), 1, 0); // Refuses at once what an endpoint cannot take.
    } catch (KnackException e) {
      listener.failed(e);
      return () -> {};
    }
    Task task = new Task(request, listener);
    waiting.add(task);
    return task;
  }

  @Override
  public void run() {
    while (!waiting.isEmpty() || !paused.isEmpty() || !out.isEmpty()) {
      long now = System.nanoTime();
      for (Task task : List.copyOf(paused)) {
        if (task.due - now <= 0) {
          paused.remove(task);
          waiting.addFirst(task);
        }
      }
      while (!waiting.isEmpty() && out.size() < model.endpoint().calls().concurrency()) {
        send(waiting.remove());
      }
      for (Task task : List.copyOf(out)) {
        if (task.due - now <= 0) {
          abandon(task);
          again(
              task,
              "no answer within "
                  + model.endpoint().calls().timeout().toMillis()
                  + " ms (calls.timeout)",
              Duration.ZERO,
              null);
        }
      }
      await();
    }
  }

  /** Waits for the next arrival, or until a task is due. */
  private void await() {
    long wait = Long.MAX_VALUE;
    long now = System.nanoTime();
    for (Set<Task> tasks : List.of(paused, out)) {
      for (Task task : tasks) {
        wait = Math.min(wait, Math.max(0, task.due - now));
      }
    }
    if (wait == Long.MAX_VALUE) {
      return; // Nothing under way: what is waiting goes out now, or all is done.
    }
    try {
      Arrival arrival = arrivals.poll(wait, TimeUnit.NANOSECONDS);
      while (arrival != null) {
        handle(arrival);
        arrival = arrivals.poll();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      close();
      throw new TemporaryException("interrupted while waiting for " + place(), e);
    }
  }

  private void send(Task task) {
    int first = task.samples.size();
    int samples = task.singly ? 1 : task.request.samples() - first;
    String body = Wire.body(task.request, model.name(), samples, first);
    int call = ++task.call;
    task.tries++;
    task.due = System.nanoTime() + model.endpoint().calls().timeout().toNanos();
    out.add(task);
    CompletableFuture<HttpResponse<byte[]>> future =
        model
            .client()
            .sendAsync(
                model.post(Wire.path(task.request.prompt()), body),
                BoundedBody.handler(LARGEST_ANSWER, LARGEST_COMPLAINT));
    task.future = future;
    CompletableFuture<?> unused =
        future.whenComplete(
            (response, problem) -> arrivals.add(new Arrival(task, call, response, problem)));
  }

  private void handle(Arrival arrival) {
    Task task = arrival.task();
    if (task.done || arrival.call() != task.call || !out.remove(task)) {
      return; // Cancelled, or given up.
    }
    HttpResponse<byte[]> response = arrival.response();
    if (response == null) {
      Throwable problem = arrival.problem();
      Throwable cause =
          problem instanceof CompletionException && problem.getCause() != null
              ? problem.getCause()
              : problem;
      if (cause instanceof BoundedBody.TooLarge) {
        fail(
            task,
            new PlanException(
                place() + " sent " + cause.getMessage() + "; ask for fewer samples at once"));
        return;
      }
      again(
          task,
          cause instanceof ConnectException
              ? unreached(cause)
              : model.quoted(String.valueOf(cause)),
          Duration.ZERO,
          cause);
      return;
    }
    int status = response.statusCode();
    if (status >= 400
        && !task.singly
        && task.request.samples() - task.samples.size() > 1
        && Wire.wantsOneSample(Wire.complaint(response.body()))) {
      task.singly = true;
      waiting.addFirst(task);
    } else if (status == 200) {
      Wire.Answer answer;
      try {
        answer = Wire.answer(response.body(), task.request, task.samples.size());
      } catch (Wire.Withheld e) {
        fail(
            task,
            new PlanException(
                place()
                    + " sent "
                    + e.getMessage()
                    + "; change the prompt, or the filter where it is yours"));
        return;
      } catch (IOException e) {
        // Not as a cause: its words may quote the server's.
        again(task, model.quoted(String.valueOf(e.getMessage())), Duration.ZERO, null);
        return;
      }
      answered(task, answer);
    } else if (status == 408 || status == 425 || status == 429 || status >= 500) {
      again(
          task,
          "status " + status + ": " + model.quoted(Wire.complaint(response.body())),
          retryAfter(response.headers().firstValue("Retry-After").orElse("")),
          null);
    } else if (status == 401 || status == 403) {
      fail(
          task,
          new PlanException(
              place()
                  + " refuses with status "
                  + status
                  + "; set the environment variable "
                  + model.endpoint().calls().keyVariable()
                  + " to a valid API key"));
    } else {
      fail(
          task,
          new PlanException(
              place()
                  + " refuses the request with status "
                  + status
                  + ": "
                  + model.quoted(Wire.complaint(response.body()))));
    }
  }

  private void answered(Task task, Wire.Answer answer) {
    task.tries = 0;
    task.promptTokens += answer.promptTokens();
    task.cachedPromptTokens += answer.cachedPromptTokens();
    task.completionTokens += answer.completionTokens();
    for (Sample sample : answer.samples()) {
      task.samples.add(sample);
      task.listener.sampled(sample);
      if (task.done) {
        return; // The listener cancelled it.
      }
    }
    if (task.samples.size() < task.request.samples()) {
      waiting.addFirst(task);
    } else {
      complete(task);
    }
  }

  private void complete(Task task) {
    task.done = true;
    task.listener.completed(
        new Completion(List.of(), null, List.copyOf(task.samples), task.usage()));
  }

  /** What to look at where no connection came about. */
  private String unreached(Throwable problem) {
    URI endpoint = URI.create(model.endpoint().address());
    if (problem.getCause() instanceof UnresolvedAddressException) {
      return "no address for the host "
          + endpoint.getHost()
          + "; check how endpoint spells it, and the network";
    }
    String message = problem.getMessage();
    return "no connection to "
        + endpoint.getAuthority()
        + " ("
        + (message == null ? "refused" : model.quoted(message))
        + "); check that a server listens there and that endpoint names its host and port";
  }

  /**
   * @param words fit for a message
   */
  private void again(Task task, String words, Duration asked, @Nullable Throwable cause) {
    EndpointCalls calls = model.endpoint().calls();
    if (task.tries >= calls.attempts()) {
      fail(
          task,
          new TemporaryException(
              place()
                  + " failed "
                  + task.tries
                  + " times, at last with "
                  + words
                  + "; try again later",
              model.harmless(cause)));
      return;
    }
    if (asked.compareTo(calls.longestBackOff()) > 0) {
      fail(
          task,
          new TemporaryException(
              place()
                  + " asks to come back in "
                  + asked.toSeconds()
                  + " s ("
                  + words
                  + "), longer than calls.longest_back_off; raise that, or try again later"));
      return;
    }
    // Doubling, spread by the task's identity so that refused calls do not come back together.
    double spread = 0.75 + 0.5 * ((System.identityHashCode(task) & 0xff) / 255.0);
    double doubled = calls.backOff().toNanos() * Math.pow(2, task.tries - 1) * spread;
    long wait = (long) Math.min(doubled, (double) calls.longestBackOff().toNanos());
    task.due = System.nanoTime() + Math.max(wait, asked.toNanos());
    paused.add(task);
  }

  private void fail(Task task, RuntimeException problem) {
    task.done = true;
    if (task.promptTokens + task.completionTokens > 0) {
      task.listener.spent(task.usage());
    }
    task.listener.failed(problem);
  }

  private static Duration retryAfter(String header) {
    String value = header.strip();
    try {
      return Duration.ofSeconds(Math.max(0, Long.parseLong(value)));
    } catch (NumberFormatException e) {
      try {
        ZonedDateTime then = ZonedDateTime.parse(value, DateTimeFormatter.RFC_1123_DATE_TIME);
        Duration wait = Duration.between(ZonedDateTime.now(then.getZone()), then);
        return wait.isNegative() ? Duration.ZERO : wait;
      } catch (DateTimeParseException f) {
        return Duration.ZERO; // None, or one that says nothing: our own back-off holds.
      }
    }
  }

  private void withdraw(Task task) {
    waiting.remove(task);
    paused.remove(task);
    abandon(task);
  }

  private void abandon(Task task) {
    out.remove(task);
    task.call++;
    CompletableFuture<HttpResponse<byte[]>> future = task.future;
    if (future != null) {
      future.cancel(true);
    }
  }

  private String place() {
    return "the endpoint " + model.endpoint().address() + " (model " + model.name() + ")";
  }

  @Override
  public void close() {
    List<Task> left = new ArrayList<>(waiting);
    left.addAll(paused);
    left.addAll(out);
    left.forEach(this::withdraw); // None goes on, whatever the listeners of others do.
    RuntimeException first = null;
    for (Task task : left) {
      try {
        task.cancel();
      } catch (RuntimeException e) {
        first = GenerationSession.first(first, e);
      }
    }
    if (first != null) {
      throw first;
    }
  }
}
