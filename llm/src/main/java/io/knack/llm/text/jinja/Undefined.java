package io.knack.llm.text.jinja;

/**
 * What a missing name, key or index gives: empty when printed or iterated, false when tested, an
 * error when used in any other way.
 *
 * @param why completes an error message
 */
record Undefined(String why) {
  TemplateException used() {
    return TemplateException.value(why);
  }
}
