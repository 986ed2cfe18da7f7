package dev.kancil.cuda.emulator;

/** Constants of PTX. */
final class PtxNumbers {
  private PtxNumbers() {}

  /**
   * @throws NumberFormatException if it is no number
   */
  static Operand parse(String text, boolean negative) {
    if (text.startsWith("0f") || text.startsWith("0F")) {
      int bits = Integer.parseUnsignedInt(digits(text, 8), 16);
      bits ^= negative ? 0x8000_0000 : 0;
      return new Operand.Floating(Float.intBitsToFloat(bits), bits);
    }
    if (text.startsWith("0d") || text.startsWith("0D")) {
      double value = Double.longBitsToDouble(Long.parseUnsignedLong(digits(text, 16), 16));
      return floating(negative ? -value : value);
    }
    if (text.matches("[0-9]+\\.[0-9]*([eE][+-]?[0-9]+)?")) {
      double value = Double.parseDouble(text);
      return floating(negative ? -value : value);
    }
    String whole = text.endsWith("U") ? text.substring(0, text.length() - 1) : text;
    long value;
    if (whole.startsWith("0x") || whole.startsWith("0X")) {
      value = Long.parseUnsignedLong(whole.substring(2), 16);
    } else if (whole.startsWith("0b") || whole.startsWith("0B")) {
      value = Long.parseUnsignedLong(whole.substring(2), 2);
    } else if (whole.length() > 1 && whole.startsWith("0")) {
      value = Long.parseUnsignedLong(whole.substring(1), 8);
    } else {
      value = Long.parseUnsignedLong(whole);
    }
    return new Operand.Whole(negative ? -value : value);
  }

  private static Operand floating(double value) {
    return new Operand.Floating(value, Float.floatToRawIntBits((float) value));
  }

  private static String digits(String text, int count) {
    if (text.length() != count + 2) {
      throw new NumberFormatException();
    }
    return text.substring(2);
  }
}
