package io.knack.practice.prompt;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The templates of one form and version, by the names of their resources. */
final class Templates {
  private final Map<String, Template> byName = new HashMap<>();

  /**
   * Reads every template, so that a missing one shows at once.
   *
   * @param directory beside this class
   */
  Templates(String directory, List<String> names) {
    for (String name : names) {
      byName.put(name, Template.resource(directory + "/" + name + ".txt"));
    }
  }

  String fill(String name, Map<String, String> values) {
    Template template = byName.get(name);
    if (template == null) {
      throw new IllegalArgumentException("no template is called '" + name + "'");
    }
    return template.fill(values);
  }
}
