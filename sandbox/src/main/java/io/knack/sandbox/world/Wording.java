package io.knack.sandbox.world;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A sentence with places, {@code {name}}, that can be filled and read back. A place in lower case
 * is a number, one in upper case is words.
 */
final class Wording {
  private static final Pattern PLACE = Pattern.compile("\\{([a-zA-Z]+)}");

  private final String text;
  private final List<String> places = new ArrayList<>();
  private final Pattern reader;

  Wording(String text) {
    this.text = text;
    StringBuilder regex = new StringBuilder();
    Matcher matcher = PLACE.matcher(text);
    int from = 0;
    while (matcher.find()) {
      regex.append(Pattern.quote(text.substring(from, matcher.start())));
      String place = Objects.requireNonNull(matcher.group(1));
      boolean number = Character.isLowerCase(place.charAt(0));
      regex.append(
          places.contains(place)
              ? "\\k<" + place + ">"
              : "(?<" + place + ">" + (number ? "\\d{1,3}" : "[A-Za-z]+(?: [A-Z][a-z]+)?") + ")");
      if (!places.contains(place)) {
        places.add(place);
      }
      from = matcher.end();
    }
    regex.append(Pattern.quote(text.substring(from)));
    this.reader = Pattern.compile(regex.toString());
  }

  String fill(Map<String, String> values) {
    return PLACE
        .matcher(text)
        .replaceAll(
            m ->
                Matcher.quoteReplacement(
                    Objects.requireNonNull(
                        values.get(m.group(1)), () -> "no value for " + m.group(1))));
  }

  /** The values with which this sentence occurs in a text. */
  Optional<Map<String, String>> read(String in) {
    Matcher matcher = reader.matcher(in);
    if (!matcher.find()) {
      return Optional.empty();
    }
    Map<String, String> values = new LinkedHashMap<>();
    for (String place : places) {
      values.put(place, Objects.requireNonNull(matcher.group(place)));
    }
    return Optional.of(values);
  }
}
