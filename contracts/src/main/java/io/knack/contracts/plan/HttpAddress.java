package io.knack.contracts.plan;

import java.net.URI;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * What Knack takes as the address of a server: http or https, a host name or number, no user name
 * and no password, no query. Plans are kept, shown and sent to MLflow, so secrets come from the
 * environment.
 */
public final class HttpAddress {
  private static final int LAST_PORT = 65_535;

  /** An address with a user or a password; none of the characters that only a pattern has. */
  private static final Pattern WITH_SECRET =
      Pattern.compile("[A-Za-z][A-Za-z0-9+.-]*://[^\\s/?#@\"\\[\\]\\\\{}<>|^]+@");

  private static final Pattern SECRET = Pattern.compile("://[^\\s\"]*@");

  private HttpAddress() {}

  /** What is wrong with the address, without its secrets, or nothing. */
  public static Optional<String> problem(String address) {
    if (holdsSecret(address)) {
      return Optional.of(secretProblem());
    }
    try {
      URI uri = URI.create(address);
      if (uri.getRawQuery() != null || uri.getRawFragment() != null) {
        // Not quoted: queries are where some servers take a key.
        return Optional.of(
            "must end with its path, without '?' or '#' and what follows: addresses are kept and"
                + " shown, and paths are put behind them");
      }
      if ("http".equals(uri.getScheme()) || "https".equals(uri.getScheme())) {
        String authority = uri.getAuthority();
        if (uri.getHost() == null && authority != null && authority.indexOf('_') >= 0) {
          return Optional.of(
              "has an underscore in its host, '"
                  + withoutSecret(authority)
                  + "', which a host name must not have; name the server otherwise (in docker"
                  + " compose, by a network alias) or by its number");
        }
        if (uri.getHost() != null && uri.getPort() <= LAST_PORT) {
          return Optional.empty();
        }
      }
    } catch (IllegalArgumentException e) {
      // No address at all, which is said below.
    }
    return Optional.of(
        "is '"
            + withoutSecret(address)
            + "', expected an http or https address such as http://localhost:8000");
  }

  /** Whether an address with a user name or a password is anywhere in the text. */
  static boolean holdsSecret(String text) {
    return WITH_SECRET.matcher(text).find();
  }

  static String secretProblem() {
    return "must not hold a user name or password in an address, which is kept and shown; the key"
        + " goes into an environment variable of its own (docs/operations.md names them)";
  }

  /** The text with every user name and password of an address struck out, to be shown. */
  public static String withoutSecret(String text) {
    return SECRET.matcher(text).replaceAll("://***@");
  }
}
