package io.knack.llm.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Flow;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

class BoundedBodyTest {
  private final AtomicBoolean cancelled = new AtomicBoolean();

  private BoundedBody of(int limit) {
    return subscribed(BoundedBody.whole(limit));
  }

  private BoundedBody subscribed(BoundedBody body) {
    body.onSubscribe(
        new Flow.Subscription() {
          @Override
          public void request(long n) {}

          @Override
          public void cancel() {
            cancelled.set(true);
          }
        });
    return body;
  }

  @Test
  void collectsUpToTheLimit() throws Exception {
    BoundedBody body = of(6);
    body.onNext(List.of(ByteBuffer.wrap(new byte[] {1, 2, 3}), ByteBuffer.wrap(new byte[] {4})));
    body.onNext(List.of(ByteBuffer.wrap(new byte[] {5, 6})));
    body.onComplete();
    assertThat(body.getBody().toCompletableFuture().get()).containsExactly(1, 2, 3, 4, 5, 6);
    assertThat(cancelled).isFalse();
  }

  @Test
  void endsTheCallBeyondIt() {
    BoundedBody body = of(3);
    body.onNext(List.of(ByteBuffer.wrap(new byte[] {1, 2, 3, 4})));
    assertThat(cancelled).isTrue();
    assertThatThrownBy(() -> body.getBody().toCompletableFuture().get())
        .isInstanceOf(ExecutionException.class)
        .hasMessageContaining("more than 3 bytes");
  }

  @Test
  void keepsABeginning() throws Exception {
    BoundedBody body = subscribed(BoundedBody.beginning(3));
    body.onNext(List.of(ByteBuffer.wrap(new byte[] {1, 2})));
    assertThat(cancelled).isFalse();
    body.onNext(List.of(ByteBuffer.wrap(new byte[] {3, 4})));
    assertThat(cancelled).isTrue();
    assertThat(body.getBody().toCompletableFuture().get()).containsExactly(1, 2, 3);
  }
}
