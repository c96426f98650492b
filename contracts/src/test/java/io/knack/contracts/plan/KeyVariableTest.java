package io.knack.contracts.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.knack.contracts.stage.PlanException;
import java.util.Map;
import org.junit.jupiter.api.Test;

final class KeyVariableTest {
  @Test
  void whiteSpaceAroundAKeyIsNotOfIt() {
    assertThat(KeyVariable.read("K", Map.of("K", "K-S3CRET\r\n"))).isEqualTo("K-S3CRET");
    assertThat(KeyVariable.read("K", Map.of())).isNull();
    assertThat(KeyVariable.read("K", Map.of("K", " \r"))).isNull();
  }

  @Test
  void whatIsNoKeyIsRefusedWithoutShowingIt() {
    for (String key : new String[] {"S3CRET\nB", "S3C RET", "S3CRET\u00e4"}) {
      assertThatThrownBy(() -> KeyVariable.read("K", Map.of("K", key)))
          .isInstanceOf(PlanException.class)
          .hasMessageContaining("the variable K holds no key")
          .hasMessageNotContaining("S3C");
    }
  }
}
