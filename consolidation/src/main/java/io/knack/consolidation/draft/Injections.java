package io.knack.consolidation.draft;

import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;

/**
 * What text from a log must not carry into a prompt.
 *
 * <p>A rule is one plain sentence: in it markup, links, code and commanding words are refused
 * beside attacks. An episode is a problem and its solution as people and chat models write them:
 * Markdown, code, LaTeX, HTML and links are what it is made of, so that attacks alone are refused.
 * What is an attack, and why code and mathematics are read less strictly, is decision 0048.
 */
public final class Injections {
  private Injections() {}

  /** Whether a text is more than a plain sentence, or attacks. */
  public static boolean inRule(String text) {
    if (HiddenCharacters.any(text)) {
      return true;
    }
    String plain = Disguise.lift(text);
    return MARKUP.stream().anyMatch(pattern -> pattern.matcher(plain).find())
        || COMMANDS.stream().anyMatch(pattern -> pattern.matcher(plain).find())
        || attacks(plain);
  }

  /** Whether a problem or its solution attacks the model that reads it or what shows it. */
  public static boolean inEpisode(String text) {
    return HiddenCharacters.suspicious(text) || attacks(Disguise.lift(text));
  }

  private static boolean attacks(String plain) {
    String lower = plain.toLowerCase(Locale.ROOT);
    if (found(ANYWHERE, plain, lower)) {
      return true;
    }
    // A first look at all of it: most texts have nothing that would matter even in prose.
    if (!found(IN_PROSE, plain, lower)) {
      return false;
    }
    String prose = Prose.of(plain);
    return found(IN_PROSE, prose, prose.toLowerCase(Locale.ROOT));
  }

  private static boolean found(List<Attack> attacks, String text, String lower) {
    for (Attack attack : attacks) {
      if (attack.in(text, lower)) {
        return true;
      }
    }
    return false;
  }

  /**
   * A pattern, and words of which one stands in whatever it matches: looking for these first costs
   * little, and of a million solutions nearly all have none.
   */
  private record Attack(Pattern pattern, List<String> needles) {
    static Attack of(String pattern, String... needles) {
      return new Attack(Pattern.compile(pattern), List.of(needles));
    }

    boolean in(String text, String lower) {
      for (String needle : needles) {
        if (lower.contains(needle)) {
          return pattern.matcher(text).find();
        }
      }
      return false;
    }
  }

  // ---- rules only

  /** Markup, code, links, template syntax: a sentence has none. */
  private static final List<Pattern> MARKUP =
      List.of(
          Pattern.compile("(?i)\\b(https?|ftp|file|javascript|data)\\s*:"),
          Pattern.compile("(?i)\\bwww\\.|\\b[\\w-]+\\.(com|net|org|io|ru|cn|xyz)\\b"),
          Pattern.compile("(?i)\\b(exec|eval|curl|wget|bash|powershell|rm\\s+-|sudo)\\b"),
          Pattern.compile("\\{\\{|\\}\\}|\\{%|%\\}|\\$\\{|<%|#\\{|\\{#"),
          Pattern.compile("<\\||\\|>|</?[a-zA-Z!][^>]*>|<<\\s*/?\\s*[a-zA-Z]|```"),
          Pattern.compile("!\\[|\\]\\(|<!--|-->"),
          Pattern.compile("(?m)^\\s*(#{1,6}\\s|\\|)|-{3,}|={3,}"),
          Pattern.compile("\"\\s*:\\s*[\\[{\"]"));

  /** Words that command a model, a reader or a verifier rather than say what to compute. */
  private static final List<Pattern> COMMANDS =
      List.of(
          Pattern.compile(
              "(?i)\\b(ignore|disregard|forget|override|bypass|skip)\\b.{0,40}\\b(instruction|prompt"
                  + "|rule|above|previous|prior|earlier|guideline|everything|system|safety"
                  + "|check|verif)"),
          Pattern.compile(
              "(?i)\\b(system|developer|hidden|initial)\\s+(prompt|message|instruction)"),
          Pattern.compile("(?i)\\byou\\s+are\\s+(now|no longer)\\b"),
          Pattern.compile("(?i)\\b(act|behave|respond|reply|pretend)\\s+(as|like)\\b"),
          Pattern.compile("(?i)\\b(new|updated|real|following|these)\\s+instructions?\\b"),
          Pattern.compile("(?i)(^|[^\\p{L}])(system|assistant|user|developer|tool|human)\\s*:"),
          Pattern.compile(
              "(?i)\\b(reveal|print|repeat|output|send|leak|exfiltrate|upload|post)\\b.{0,40}\\b"
                  + "(prompt|secret|password|key|token|credential|instruction|conversation|data)"),
          Pattern.compile("(?i)\\b(tool|function)[_ -]?(call|use|name|result)"),
          Pattern.compile(
              "(?i)\\b(mark|treat|accept|score|grade|approve)\\b.{0,30}\\b(all|every"
                  + "|everything|any|anything|always)\\b"));

  // ---- rules and episodes

  /** Between the words of a phrase: blanks, emphasis, punctuation; nothing, where it was spaced. */
  private static final String GAP = "[^\\p{L}\\p{N}]{0,12}";

  /** Words that may stand between those that matter. */
  private static final String FILLERS =
      "(?:(?:all|any|every|each|of|the|your|my|our|these|those|this|that|and|or|set|user|system"
          + "|safety|completely|please|current|existing|given|other|previous|prior)~){0,6}";

  /** In prose and in code alike: a tokenizer and a reading model make no difference there. */
  private static final List<Attack> ANYWHERE =
      List.of(
          // Tokens that end a turn or begin another one, as tokenizers of chat models know them.
          Attack.of("<\\|[^\\s|<>]{1,60}\\|>", "<|"),
          Attack.of(
              "(?i)</?(?:s|bos|eos|start_of_turn|end_of_turn|start_header_id|end_header_id)>",
              "s>",
              "_turn>",
              "_id>"),
          Attack.of(
              "\\[/?(?:INST|SYS|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_(?:CALLS|RESULTS|CONTENT))\\]",
              "inst]",
              "sys]",
              "system_prompt]",
              "tools]",
              "tool_"),
          Attack.of("(?i)<<\\s*/?\\s*SYS\\s*>>", "sys"),
          // Marks between which an engine looks for the call of a tool.
          Attack.of(
              "(?i)</?(?:\\w{1,20}:)?(?:(?:tool|function)_(?:call|response|result|use)s?"
                  + "|function=[^>\\n]{1,80}|invoke\\s+name=[^>\\n]{1,80})>",
              "tool_",
              "function_",
              "function=",
              "invoke"),
          // What was asked before is to be forgotten.
          Attack.of(
              words(
                  "(?:ignore|disregard|forget|bypass|discard|neglect|(?:do~not|don.?t|stop)"
                      + "~follow(?:ing)?)",
                  FILLERS,
                  "(?:previous|prior|preceding|earlier|above|foregoing|former|past|initial|original"
                      + "|system|developer|safety|hidden|your)",
                  FILLERS,
                  "(?:instruction|prompt|guideline|guidance|directive|rule|direction|training"
                      + "|programming|polic(?:y|ies))"),
              "ignore",
              "disregard",
              "forget",
              "bypass",
              "discard",
              "neglect",
              "follow"),
          Attack.of(
              words(
                  "(?:override|overrule)",
                  FILLERS,
                  "(?:instruction|prompt|guideline|directive|safety|system~rule|your~rule)"),
              "overr"),
          Attack.of(
              words(
                  "(?:ignore|disregard|forget)",
                  "(?:all|any|every|each|your)",
                  FILLERS,
                  "(?:instruction|prompt|guideline)"),
              "ignore",
              "disregard",
              "forget"),
          Attack.of(
              words(
                  "(?:ignore|disregard|forget)",
                  "(?:all|everything|anything|whatever)",
                  "(?:(?:of|the|that|was|were|said|came|is|you|been|told|stands)~){0,4}"
                      + "(?:above|before|previously|earlier|prior)"
                      + "(?=\\s*(?:$|[.,;:!?\\n]|and\\b|then\\b|this\\b|now\\b|here\\b))"),
              "ignore",
              "disregard",
              "forget"),
          // The same in other languages: "ignore" and, some words on, "instructions".
          Attack.of(
              words(
                  "(?:ignorier\\w{0,3}|vergiss|missachte\\w?|ignor(?:a|ar|ad|i|ate)|olvid[ae]"
                      + "|ignore[zr]?~(?:toutes?~)?(?:les|tes|vos|ces)"
                      + "|oubliez?~(?:toutes?~)?(?:les|tes|vos|ces))",
                  "(?:\\p{L}{1,20}[^\\p{L}]{1,3}){0,4}"
                      + "(?:anweisung|vorgabe|instrucc|istruzion|instruc(?:oes|ao)|instructions"
                      + "|consigne)"),
              "ignor",
              "vergiss",
              "missachte",
              "olvid",
              "oublie"),
          Attack.of(
              "(?:\u5ffd\u7565|\u65e0\u89c6|\u5ffd\u8996|\u7121\u8996)[^\\n]{0,12}"
                  + "(?:\u6307\u4ee4|\u6307\u793a|\u63d0\u793a)",
              "\u5ffd\u7565",
              "\u65e0\u89c6",
              "\u5ffd\u8996",
              "\u7121\u8996"),
          Attack.of(
              "(?i)\\b(?:new|real|actual)\\s+(?:system\\s+)?instructions?\\s*:", "instruction"),
          // Another part to play, without the limits of this one.
          Attack.of(
              words(
                  "you~are~(?:now|no~longer)",
                  "(?:dan\\b|in~(?:developer|debug|god|admin|dan|jailbreak)\\w*~mode"
                      + "|(?:an?~)?(?:\\w+[^\\p{L}\\p{N}]{1,3}){0,2}"
                      + "(?:unrestricted|unfiltered|uncensored|jailbroken)\\b"
                      + "|(?:bound|restricted|limited|constrained)~by\\b"
                      + "|an?[^\\p{L}]{1,3}(?:\\w+[^\\p{L}\\p{N}]{1,3}){0,3}"
                      + "(?:ai|chatbot|language model|assistant|bot)\\b)"),
              "you are",
              "youare"),
          Attack.of(
              words(
                  "from~now~on~you~(?:must|will|shall|are~to)~",
                  "(?:only|always|never|not|answer|respond|reply|obey|ignore|act)"),
              "now on",
              "nowon"),
          // What was told in confidence is to be said.
          Attack.of(
              words(
                  "(?:reveal|print|repeat|output|show|leak|expose|disclose|display|recite)",
                  "(?:(?:me|us|all|of|the|your|full|entire|exact|own)~){0,5}",
                  "(?:system|hidden|initial|developer|secret|your)",
                  "(?:(?:system|hidden|initial|secret|full)~){0,2}(?:prompt|instruction)"),
              "prompt",
              "instruction"),
          Attack.of(
              "(?i)\\b(?:send|upload|post|forward|leak|email|exfiltrate)\\b[^.\\n]{0,40}\\b(?:api"
                  + "\\s?keys?|passwords?|credentials?|secrets?|access tokens?|conversation"
                  + "|chat history|user data)\\b[^.\\n]{0,20}\\bto\\s+(?:me|us|this)\\b",
              " to "),
          // A verifier is to be won over.
          Attack.of(
              "(?i)\\b(?:accept|approve)\\s+(?:all|every|any|this|my|these|the following)\\s+"
                  + "(?:answer|solution|response|submission|attempt)s?\\b"
                  + "|\\b(?:mark|treat|count|score|grade|rate|approve)\\s+(?:(?:all|every|any|this|my"
                  + "|these|the)\\s+)?(?:(?:answer|solution|response|submission|attempt)s?|everything"
                  + "|anything|all|it|this)\\s+(?:as\\s+)?(?:passed|passing|correct|verified"
                  + "|approved|accepted|right)\\b",
              "mark",
              "treat",
              "count",
              "accept",
              "score",
              "grade",
              "approve",
              "rate"));

  /** Outside of code and mathematics, where the same characters mean something else. */
  private static final List<Attack> IN_PROSE =
      List.of(
          // A line that begins another speaker's turn.
          Attack.of(
              "(?im)^[ \\t>]*(?:#{1,6}[ \\t]*)?(?:system|assistant|user|human)(?:[ \\t]+message)?"
                  + "[ \\t]*:",
              "system",
              "assistant",
              "user",
              "human"),
          Attack.of("(?m)^[ \\t>]*### ?(?:Instruction|Response):", "###"),
          Attack.of(
              "(?i)\"role\"\\s*:\\s*\"(?:system|assistant|user|tool|developer)\"", "\"role\""),
          Attack.of(
              "(?i)\\{\\s*\"(?:name|tool|tool_name|function)\"\\s*:\\s*\"[^\"\\n]{1,80}\"\\s*,\\s*"
                  + "\"(?:arguments|parameters|args|input)\"\\s*:",
              "arguments",
              "parameters",
              "args",
              "input"),
          // Syntax of templates.
          Attack.of("\\{\\{[^{}\\\\]{1,300}\\}\\}", "{{"),
          Attack.of("\\{%[^{}]{1,300}%\\}", "{%"),
          Attack.of("\\{#[^{}]{1,300}#\\}", "{#"),
          Attack.of("<%[^%]{1,300}%>", "<%"),
          Attack.of("\\$\\{\\s*\\w{1,40}\\s*:[^{}]{1,300}\\}", "${"),
          Attack.of("#\\{[^{}]{1,300}\\}", "#{"),
          // Links that run code, pictures whose address carries something away.
          Attack.of(
              "(?i)(?:\\]\\(|href\\s*=\\s*[\"']?|src\\s*=\\s*[\"']?|^|\\s)\\s*(?:javascript|vbscript)"
                  + "\\s*:\\s*[\\w(]",
              "javascript",
              "vbscript"),
          Attack.of(
              "(?i)!\\[[^\\]\\n]{0,200}\\]\\(\\s*https?:[^)\\s]{0,400}\\?[^)\\n]{0,400}\\)"
                  + "|<img\\b[^>]{0,400}\\bsrc\\s*=\\s*[\"']?https?:[^\"'>\\s]{0,400}\\?",
              "![",
              "<img"));

  /** A phrase of parts, of which each may be followed by a gap; {@code ~} is a gap within one. */
  private static String words(String... parts) {
    return "(?i)\\b" + String.join("~", parts).replace("~", GAP);
  }
}
