package io.knack.llm.http;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Flow;
import org.jspecify.annotations.Nullable;

/**
 * Collects an answer's bytes up to a limit. Beyond it the call ends: with {@link TooLarge}, or,
 * where the beginning says enough, with that.
 */
final class BoundedBody implements HttpResponse.BodySubscriber<byte[]> {
  /** An answer that does not end where answers do. */
  static final class TooLarge extends IOException {
    private static final long serialVersionUID = 1;

    TooLarge(long limit) {
      super("an answer of more than " + limit + " bytes");
    }
  }

  private final long limit;
  private final boolean cut;
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
  private final CompletableFuture<byte[]> body = new CompletableFuture<>();
  private Flow.@Nullable Subscription subscription;

  private BoundedBody(long limit, boolean cut) {
    this.limit = limit;
    this.cut = cut;
  }

  /** All of a body, or a failure. */
  static BoundedBody whole(long limit) {
    return new BoundedBody(limit, false);
  }

  /** A body's beginning. */
  static BoundedBody beginning(long limit) {
    return new BoundedBody(limit, true);
  }

  /**
   * @param answer the most bytes of a 200
   * @param complaint the bytes to keep of anything else
   */
  static HttpResponse.BodyHandler<byte[]> handler(long answer, long complaint) {
    return response -> response.statusCode() == 200 ? whole(answer) : beginning(complaint);
  }

  @Override
  public CompletionStage<byte[]> getBody() {
    return body;
  }

  @Override
  public void onSubscribe(Flow.Subscription given) {
    subscription = given;
    given.request(Long.MAX_VALUE);
  }

  @Override
  public void onNext(List<ByteBuffer> buffers) {
    for (ByteBuffer buffer : buffers) {
      long room = limit - bytes.size();
      boolean tooLarge = buffer.remaining() > room;
      if (!tooLarge || cut) {
        byte[] piece = new byte[tooLarge ? (int) room : buffer.remaining()];
        buffer.get(piece);
        bytes.writeBytes(piece);
      }
      if (tooLarge) {
        if (subscription != null) {
          subscription.cancel();
        }
        if (cut) {
          body.complete(bytes.toByteArray());
        } else {
          body.completeExceptionally(new TooLarge(limit));
        }
        return;
      }
    }
  }

  @Override
  public void onError(Throwable problem) {
    body.completeExceptionally(problem);
  }

  @Override
  public void onComplete() {
    body.complete(bytes.toByteArray());
  }
}
