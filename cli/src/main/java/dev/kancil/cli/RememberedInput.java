package dev.kancil.cli;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;

/** An input that keeps what was read of it, for {@link Relaunch}. */
final class RememberedInput extends InputStream {
  private final InputStream in;
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

  RememberedInput(InputStream in) {
    this.in = in;
  }

  byte[] bytes() {
    return bytes.toByteArray();
  }

  @Override
  public int read() throws IOException {
    int value = in.read();
    if (value >= 0) {
      bytes.write(value);
    }
    return value;
  }

  @Override
  public int read(byte[] target, int from, int length) throws IOException {
    int count = in.read(target, from, length);
    if (count > 0) {
      bytes.write(target, from, count);
    }
    return count;
  }

  @Override
  public int available() throws IOException {
    return in.available();
  }
}
