package io.knack.llm.text.jinja;

import java.util.LinkedHashMap;
import java.util.Map;

/** What {@code namespace(...)} gives: the one thing that a loop's body can assign into. */
final class Namespace {
  final Map<String, Object> fields = new LinkedHashMap<>();
}
