package io.knack.consolidation.draft;

/**
 * Characters that a reader does not see and a tokenizer does: controls, formats, private use, and
 * what Unicode reserves for being ignored.
 */
final class HiddenCharacters {
  /** Spaces of no width in a text: more could spell something. */
  private static final int STRAY = 3;

  private HiddenCharacters() {}

  /** Whether there is any, line ends and tabulators aside: a sentence needs none. */
  static boolean any(String text) {
    int before = -1;
    for (int i = 0; i < text.length(); ) {
      int c = text.codePointAt(i);
      i += Character.charCount(c);
      if (c >= 0x7f || (c < 0x20 && c != '\n' && c != '\t')) {
        boolean spells = selects(c) && selects(before);
        if (hidden(c) || spells || Character.getType(c) == Character.UNASSIGNED) {
          return true;
        }
      }
      before = c;
    }
    return false;
  }

  /**
   * Whether there are any beyond what ordinary text has: carriage returns, a byte order mark in
   * front, soft hyphens within words, a joiner or its opposite between letters of scripts that need
   * it or within an emoji, marks of direction in a text that runs from right to left, and a few
   * single spaces of no width, as copying from a page leaves them.
   */
  static boolean suspicious(String text) {
    int before = -1;
    int stray = 0;
    for (int i = 0; i < text.length(); ) {
      int c = text.codePointAt(i);
      i += Character.charCount(c);
      if ((c >= 0x7f || c < 0x20) && hidden(c)) {
        int after = i < text.length() ? text.codePointAt(i) : -1;
        if (!ordinary(c, before, after, text)) {
          boolean alone = c == 0x200b && !hidden(before) && !hidden(after);
          if (!alone || ++stray > STRAY) {
            return true;
          }
        }
      } else if (selects(c) && selects(before)) {
        return true;
      }
      before = c;
    }
    return false;
  }

  private static boolean ordinary(int c, int before, int after, String text) {
    return switch (c) {
      case '\n', '\t', '\r' -> true;
      case 0xfeff -> before < 0;
      case 0xad -> Character.isLetter(before) && Character.isLetter(after);
      case 0x200b, 0x200c, 0x200d -> joins(before) && joins(after);
      case 0x200e, 0x200f -> text.codePoints().anyMatch(HiddenCharacters::fromTheRight);
      default -> false;
    };
  }

  /** Neither Latin nor a joiner itself: two in a row would carry a message. */
  private static boolean joins(int c) {
    return c >= 0x370 && !hidden(c);
  }

  private static boolean fromTheRight(int c) {
    byte direction = Character.getDirectionality(c);
    return direction == Character.DIRECTIONALITY_RIGHT_TO_LEFT
        || direction == Character.DIRECTIONALITY_RIGHT_TO_LEFT_ARABIC;
  }

  /** A variation selector: one picks a form of the character before it, several spell bytes. */
  private static boolean selects(int c) {
    return (c >= 0xfe00 && c <= 0xfe0f) || (c >= 0xe0100 && c <= 0xe01ef);
  }

  private static boolean hidden(int c) {
    return switch (Character.getType(c)) {
      case Character.CONTROL, Character.FORMAT, Character.PRIVATE_USE, Character.SURROGATE -> true;
      default ->
          (c >= 0xe0000 && c <= 0xe00ff) // tags
              || (c >= 0xfdd0 && c <= 0xfdef)
              || (c & 0xfffe) == 0xfffe // no characters
              || c == 0x2065
              || (c >= 0xfff0 && c <= 0xfff8)
              || c == 0x115f
              || c == 0x1160
              || c == 0x3164
              || c == 0xffa0; // fillers
    };
  }
}
