package dev.kancil.cli.pull;

import dev.kancil.FormatException;
import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * A file fetched over HTTP. It goes on where a connection broke or an earlier run stopped, if the
 * server can, and is checked against its size and checksum where those are known.
 */
final class WebDownload {
  private static final int PARTIAL_CONTENT = 206;
  private static final int RANGE_NOT_SATISFIABLE = 416;
  private static final Duration LONGEST_SILENCE = Duration.ofSeconds(60);

  private final WebClient web;
  private final Backoff backoff;
  private final RemoteFile file;
  private final Path part;
  private final Path tag;
  private Optional<Checksum> checksum;
  private boolean answered;

  /**
   * @param part where its bytes lie
   * @param tag where is written of which version they are
   */
  WebDownload(WebClient web, Backoff backoff, RemoteFile file, Path part, Path tag) {
    this.web = web;
    this.backoff = backoff;
    this.file = file;
    this.part = part;
    this.tag = tag;
    checksum = file.checksum();
  }

  /**
   * Fetches all that is not here yet.
   *
   * @throws FormatException if the server can't be reached, refuses, or has another file
   */
  void run(SharedProgress.OfFile progress) throws IOException, InterruptedException {
    long furthest = -1;
    int failures = 0;
    while (true) {
      try {
        fetchRest(progress);
        return;
      } catch (PassingFailure e) {
        long have = Files.exists(part) ? Files.size(part) : 0;
        failures = have > furthest ? 1 : failures + 1;
        furthest = Math.max(furthest, have);
        if (failures > backoff.tries()) {
          throw new FormatException(e.getMessage() + "; run it again to go on", e);
        }
        backoff.pause(failures);
      }
    }
  }

  private void fetchRest(SharedProgress.OfFile progress) throws IOException, InterruptedException {
    // Without a tag that names the version, the rest might be that of another file.
    String known = Files.exists(tag) ? Files.readString(tag) : "";
    boolean ours = checksum.isEmpty() || known.equals(checksum.get().toString());
    long have = known.isEmpty() || !ours || !Files.exists(part) ? 0 : Files.size(part);
    if (have > 0 && have == file.bytes() && checksum.isPresent()) {
      progress.done(have, have);
      check(digestOf(checksum.get(), have, have));
      return;
    }
    Map<String, String> headers = new HashMap<>();
    if (have > 0) {
      headers.put("Range", "bytes=" + have + "-");
      if (known.startsWith("\"")) {
        headers.put("If-Range", known);
      }
    }
    try (WebClient.Answer answer = web.get(file.address(), headers)) {
      answered = true;
      long start = start(answer, have);
      long total = total(answer, start);
      checksum = checksum.or(answer::checksum);
      if (start > 0 && checksum.isPresent() && !known.equals(checksum.get().toString())) {
        Files.deleteIfExists(part);
        throw new PassingFailure(file.address() + ": the server has another file by now", null);
      }
      // A weak tag does not promise the same bytes.
      String version = answer.header("ETag").filter(text -> !text.startsWith("W/")).orElse("");
      Files.writeString(tag, checksum.map(Checksum::toString).orElse(version));
      receive(answer.response().body(), start, total, progress);
    } catch (ConnectException e) {
      String message = file.address() + ": the server can't be reached";
      if (answered) {
        throw new PassingFailure(message, e);
      }
      throw new FormatException(message, e);
    }
  }

  /** From where on the server sends the file. */
  private long start(WebClient.Answer answer, long have) throws IOException {
    int status = answer.status();
    if (status == RANGE_NOT_SATISFIABLE && have > 0) {
      Files.deleteIfExists(part);
      throw new PassingFailure(file.address() + ": the server has less than is here", null);
    }
    if (status == PARTIAL_CONTENT && have > 0) {
      if (answer.header("Content-Range").orElse("").startsWith("bytes " + have + "-")) {
        return have;
      }
      Files.deleteIfExists(part);
      throw new PassingFailure(file.address() + ": the server sends another part", null);
    }
    if (status != 200) {
      throw new FormatException(file.address() + ": " + Hub.refusal(status));
    }
    if (answer.header("Content-Type").orElse("").startsWith("text/html")) {
      throw new FormatException(file.address() + ": this is a web page, not a model's file");
    }
    return 0;
  }

  /** The file's size; -1 if nobody knows. */
  private long total(WebClient.Answer answer, long start) {
    long length = answer.length();
    long offered = length < 0 ? -1 : Math.addExact(start, length);
    long meant = file.bytes() < 0 ? answer.bytes().orElse(-1) : file.bytes();
    if (offered >= 0 && meant >= 0 && offered != meant) {
      throw new FormatException(
          "%s: the server has a file of %,d bytes, not of %,d"
              .formatted(file.address(), offered, meant));
    }
    return Math.max(offered, meant);
  }

  private void receive(InputStream body, long start, long total, SharedProgress.OfFile progress)
      throws IOException {
    Optional<MessageDigest> digest = Optional.empty();
    // git's header has the size, without which there is nothing to compare.
    if (checksum.isPresent() && (total >= 0 || checksum.get().kind() == Checksum.Kind.SHA_256)) {
      digest = Optional.of(digestOf(checksum.get(), start, total));
    }
    long written;
    try (FileChannel target =
            FileChannel.open(part, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
        StallGuard guard = new StallGuard(body, LONGEST_SILENCE)) {
      target.truncate(start);
      target.position(start);
      progress.done(start, total);
      written =
          start
              + Transfer.copy(
                  body,
                  target,
                  copied -> {
                    guard.moved(copied);
                    long bytes = start + copied;
                    if (total >= 0 && bytes > total) {
                      throw new FormatException(
                          "%s: the server sends more than the file's %,d bytes"
                              .formatted(file.address(), total));
                    }
                    progress.done(bytes, total);
                  },
                  digest.stream().toArray(MessageDigest[]::new));
      target.force(true);
    } catch (FormatException e) {
      Files.deleteIfExists(part);
      throw e;
    } catch (IOException e) {
      if (e instanceof FileSystemException || ModelCache.isDiskFull(e)) {
        throw e;
      }
      throw new PassingFailure(
          file.address() + ": the connection broke (" + WebClient.reason(e) + ")", e);
    }
    if (total >= 0 && written != total) {
      throw new PassingFailure(
          file.address() + ": the connection ended after " + written + " of " + total + " bytes",
          null);
    }
    if (digest.isPresent()) {
      check(digest.get());
    }
  }

  /** The digest of what is here, to go on with. */
  private MessageDigest digestOf(Checksum wanted, long have, long total) throws IOException {
    MessageDigest digest = wanted.begin(total);
    if (have > 0) {
      try (InputStream input = Files.newInputStream(part)) {
        Transfer.digest(input, have, digest);
      }
    }
    return digest;
  }

  private void check(MessageDigest digest) throws IOException {
    Checksum wanted = checksum.orElseThrow();
    Checksum actual = new Checksum(wanted.kind(), Digest.hexadecimal(digest));
    if (!actual.equals(wanted)) {
      // What was fetched is wrong, so going on from it would never end well.
      Files.deleteIfExists(part);
      throw new FormatException(
          file.address() + ": the file's " + actual + " is not the hub's, " + wanted);
    }
  }
}
