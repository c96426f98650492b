package io.knack.spark.imports.scrub;

import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Keys and tokens of the well-known kinds, each by the prefix that its issuer gives it, secrets
 * that are named as such, and credentials in URLs.
 */
final class Secrets implements Detector {
  private static final Pattern PRIVATE_KEY =
      Pattern.compile(
          "-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----(?:[\\s\\S]{0,20000}?-----END"
              + " [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|[\\s\\S]{0,20000})");

  private static final Pattern ISSUED =
      Pattern.compile(
          "(?<![A-Za-z0-9_-])(?:"
              + String.join(
                  "|",
                  "sk-(?:ant-|proj-|svcacct-|or-)?[A-Za-z0-9_-]{20,200}", // OpenAI, Anthropic, ..
                  "(?:AKIA|ASIA|AGPA|AIDA|AROA)[A-Z0-9]{16}", // AWS
                  "gh[pousr]_[A-Za-z0-9]{30,255}", // GitHub
                  "github_pat_[A-Za-z0-9_]{30,255}",
                  "gl(?:pat|dt|rt|ptt|soat)-[A-Za-z0-9_-]{20,100}", // GitLab
                  "xox[abeoprs]-[A-Za-z0-9-]{10,250}", // Slack
                  "xapp-[0-9]-[A-Za-z0-9-]{10,250}",
                  "AIza[A-Za-z0-9_-]{35}", // Google
                  "ya29\\.[A-Za-z0-9_-]{20,500}",
                  "GOCSPX-[A-Za-z0-9_-]{20,60}",
                  "hf_[A-Za-z0-9]{30,60}", // Hugging Face
                  "npm_[A-Za-z0-9]{30,60}",
                  "pypi-[A-Za-z0-9_-]{50,300}",
                  "SG\\.[A-Za-z0-9_-]{16,64}\\.[A-Za-z0-9_-]{16,64}", // SendGrid
                  "(?:sk|rk|pk|whsec)_(?:live_|test_)?[A-Za-z0-9]{20,200}", // Stripe
                  "shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}", // Shopify
                  "dop_v1_[a-f0-9]{64}", // DigitalOcean
                  "dapi[a-f0-9]{32}(?:-\\d)?", // Databricks
                  "gsk_[A-Za-z0-9]{40,80}", // Groq
                  "r8_[A-Za-z0-9]{30,60}", // Replicate
                  "eyJ[A-Za-z0-9_-]{8,}\\.eyJ[A-Za-z0-9_-]{8,}\\.[A-Za-z0-9_-]{8,}", // JWT
                  "[A-Za-z0-9+/]{60,200}==", // Azure
                  "\\d{8,10}:AA[A-Za-z0-9_-]{33}") // Telegram
              + ")(?![A-Za-z0-9])");

  /** A name that says secret, a sign, and a value that is no plain word. */
  private static final Pattern NAMED =
      Pattern.compile(
          "(?i)(?:api[_"
              + " -]?key|apikey|access[_-]?key(?:[_-]?id)?|secret(?:[_-]?(?:access[_-]?)?key)?|access[_-]?token|auth[_-]?token|refresh[_-]?token|client[_-]?secret|token|passwd|password|passwort|passphrase|contraseña|mot"
              + " de passe|senha|pwd|pw|密码)[\"']?\\s{0,3}(?:=|:|is(?=\\s))\\s{0,3}[\"'`]?"
              + "((?=[^\\s\"'`,;]*\\d)(?=[^\\s\"'`,;]*[A-Za-z])[^\\s\"'`,;<>\\[\\]{}&]{6,200})");

  private static final Pattern NAMES =
      Pattern.compile(
          "(?i)key|token|secret|passw|passphrase|pwd|pw|contraseña|mot de passe|senha|密码");

  private static final Pattern BEARER =
      Pattern.compile(
          "(?i)\\b(?:bearer|basic)\\s+((?=[A-Za-z0-9+/._~-]*\\d)[A-Za-z0-9+/._~-]{16,2000}={0,2})");

  private static final Pattern URL_USER =
      Pattern.compile(
          "\\b[A-Za-z][A-Za-z0-9+.-]{1,20}://([^\\s/@:\"'<>]{1,200}:[^\\s/@\"'<>]{1,200})@");

  private static final Pattern URL_QUERY =
      Pattern.compile(
          "(?i)[?&](?:access_token|token|api_?key|key|sig|signature|auth|password|X-Amz-Signature|X-Amz-Credential)=([^\\s&\"'<>#]{8,2000})");

  @Override
  public void find(String text, List<Span> found) {
    if (text.contains("-----BEGIN")) {
      whole(PRIVATE_KEY, "PRIVATE_KEY", text, found);
    }
    if (text.contains("://")) {
      group(URL_USER, "CREDENTIALS", text, found);
      group(URL_QUERY, "SECRET", text, found);
    }
    if (longestToken(text) >= 14) {
      whole(ISSUED, "SECRET", text, found);
      group(BEARER, "SECRET", text, found);
    }
    if (NAMES.matcher(text).find()) {
      group(NAMED, "SECRET", text, found);
    }
  }

  /** Keys are long and without a space: most texts need no closer look. */
  private static int longestToken(String text) {
    int longest = 0;
    int run = 0;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      boolean token =
          (c >= '0' && c <= '9')
              || (c >= 'a' && c <= 'z')
              || (c >= 'A' && c <= 'Z')
              || c == '_'
              || c == '-'
              || c == '.'
              || c == ':';
      run = token ? run + 1 : 0;
      longest = Math.max(longest, run);
    }
    return longest;
  }

  private static void whole(Pattern pattern, String kind, String text, List<Span> found) {
    Matcher match = pattern.matcher(text);
    while (match.find()) {
      found.add(new Span(kind, match.start(), match.end()));
    }
  }

  private static void group(Pattern pattern, String kind, String text, List<Span> found) {
    Matcher match = pattern.matcher(text);
    while (match.find()) {
      found.add(new Span(kind, match.start(1), match.end(1)));
    }
  }
}
