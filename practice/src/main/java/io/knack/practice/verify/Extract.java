package io.knack.practice.verify;

import io.knack.practice.prompt.Replies;

/** Which part of an answer is compared. */
enum Extract {
  /** What stands behind the last answer mark; the last line where there is no mark. */
  CONCLUSION {
    @Override
    String of(String answer) {
      return Replies.conclusion(answer).orElseGet(() -> LAST_LINE.of(answer));
    }
  },
  LAST_LINE {
    @Override
    String of(String answer) {
      return answer
          .lines()
          .map(String::strip)
          .filter(line -> !line.isEmpty())
          .reduce((a, b) -> b)
          .orElse("");
    }
  },
  WHOLE {
    @Override
    String of(String answer) {
      return answer;
    }
  };

  abstract String of(String answer);
}
