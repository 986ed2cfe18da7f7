package dev.kancil.cli.pull;

import dev.kancil.FormatException;
import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpTimeoutException;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.time.Duration;

/** A file fetched over HTTP, which goes on where an earlier try stopped if the server can. */
final class WebDownload {
  private static final int PARTIAL_CONTENT = 206;

  private final URI address;
  private final Path part;
  private final Path tag;

  /**
   * @param part where the bytes so far lie
   */
  WebDownload(URI address, Path part) {
    this.address = address;
    this.part = part;
    this.tag = part.resolveSibling(part.getFileName() + ".tag");
  }

  void run(String what, Progress.Display display) throws IOException {
    // Without a tag that names the version, the rest might be that of another file.
    String known = Files.exists(tag) ? Files.readString(tag) : "";
    long have = known.isEmpty() || !Files.exists(part) ? 0 : Files.size(part);
    HttpRequest.Builder request =
        HttpRequest.newBuilder(address).timeout(Duration.ofSeconds(60)).GET();
    if (have > 0) {
      request.header("Range", "bytes=" + have + "-").header("If-Range", known);
    }
    try (HttpClient client =
        HttpClient.newBuilder()
            .followRedirects(HttpClient.Redirect.NORMAL)
            .connectTimeout(Duration.ofSeconds(20))
            .build()) {
      HttpResponse<InputStream> response =
          client.send(request.build(), HttpResponse.BodyHandlers.ofInputStream());
      boolean goesOn = response.statusCode() == PARTIAL_CONTENT && have > 0;
      if (response.statusCode() != 200 && !goesOn) {
        response.body().close();
        throw new FormatException(address + ": the server answers " + response.statusCode());
      }
      long start = goesOn ? have : 0;
      long length = response.headers().firstValueAsLong("Content-Length").orElse(-1);
      long total = length < 0 ? -1 : start + length;
      Files.writeString(tag, response.headers().firstValue("ETag").orElse(""));
      try (InputStream body = response.body();
          FileChannel target =
              FileChannel.open(part, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
          Progress progress = display.begin(what, total)) {
        target.truncate(start);
        target.position(start);
        long written = start + Transfer.copy(body, target, progress, start);
        if (total >= 0 && written != total) {
          throw new FormatException(
              address + ": the connection ended after " + written + " of " + total + " bytes");
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    } catch (ConnectException | HttpTimeoutException e) {
      throw new FormatException(address + ": the server can't be reached", e);
    } catch (IOException e) {
      if (e instanceof FileSystemException || ModelCache.isDiskFull(e)) {
        throw e;
      }
      throw new FormatException(
          address + ": the connection broke (" + e.getMessage() + "); run it again to go on", e);
    }
  }

  /** Bytes that were fetched. */
  long bytes() throws IOException {
    return Files.size(part);
  }

  /** Copies what was fetched. */
  void copyTo(FileChannel target, MessageDigest digest, Progress progress) throws IOException {
    try (InputStream input = Files.newInputStream(part)) {
      Transfer.copy(input, target, progress, 0, digest);
    }
  }
}
