package io.knack.evaluator.report;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

final class HtmlTest {
  @Test
  void noTextBecomesMarkup() {
    String page =
        new Html()
            .leaf(
                "p", "<script>alert('x')</script> & \"y\" \u0000 \ud800", "title", "\"><img src=x>")
            .build();
    assertThat(page)
        .isEqualTo(
            "<p title=\"&quot;&gt;&lt;img src=x&gt;\">&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;"
                + " &amp; &quot;y&quot; \ufffd \ufffd</p>");
  }

  @Test
  void whatIsOpenedIsClosed() {
    assertThatThrownBy(() -> new Html().open("div").build())
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("not closed: [div]");
  }

  @Test
  void theStyleNeedsNoNetwork() {
    assertThat(new Html().style().build())
        .contains("prefers-color-scheme:dark")
        .doesNotContain("http", "url(", "@import");
  }
}
