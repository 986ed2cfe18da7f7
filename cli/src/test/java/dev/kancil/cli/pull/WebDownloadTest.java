package dev.kancil.cli.pull;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.kancil.KancilException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class WebDownloadTest {
  private static final Progress.Display SILENT =
      (_, _) ->
          new Progress() {
            @Override
            public void done(long bytes) {}

            @Override
            public void close() {}
          };

  @TempDir private Path folder;
  private HttpServer server;
  private byte[] content = "0123456789".repeat(10_000).getBytes(StandardCharsets.UTF_8);
  private String tag = "\"v1\"";
  private String type = "application/octet-stream";
  private int breakAfter = Integer.MAX_VALUE;
  private int breaks = Integer.MAX_VALUE;
  private int busy = 0;
  private boolean ranged = true;
  private final List<String> ranges = new ArrayList<>();

  @BeforeEach
  void serve() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext("/models/", this::answer);
    server.start();
  }

  @AfterEach
  void stop() {
    server.stop(0);
  }

  private synchronized void answer(HttpExchange exchange) throws IOException {
    String path = exchange.getRequestURI().getPath();
    String range = exchange.getRequestHeaders().getFirst("Range");
    ranges.add(String.valueOf(range));
    if (path.endsWith("moved.gguf")) {
      exchange.getResponseHeaders().set("Location", path.replace("moved", "tiny"));
      exchange.sendResponseHeaders(302, -1);
      exchange.close();
      return;
    }
    boolean isThere = path.matches("/models/(tiny|big-0000[123]-of-00003)\\.gguf");
    if (!isThere || busy > 0) {
      exchange.sendResponseHeaders(isThere ? 503 : 404, -1);
      exchange.close();
      busy--;
      return;
    }
    int start = 0;
    if (ranged && range != null && tag.equals(exchange.getRequestHeaders().getFirst("If-Range"))) {
      start = Integer.parseInt(range.replaceAll("bytes=(\\d+)-", "$1"));
      exchange
          .getResponseHeaders()
          .set("Content-Range", "bytes %d-%d/*".formatted(start, content.length - 1));
    }
    exchange.getResponseHeaders().set("ETag", tag);
    exchange.getResponseHeaders().set("Content-Type", type);
    exchange.sendResponseHeaders(start > 0 ? 206 : 200, content.length - start);
    int end = content.length;
    if (breaks-- > 0) {
      end = start + Math.min(content.length - start, breakAfter);
    }
    exchange.getResponseBody().write(content, start, end - start);
    exchange.getResponseBody().flush();
    // With less than was promised, this breaks the connection.
    exchange.close();
  }

  private Path fetch() {
    return fetch("tiny.gguf");
  }

  private Path fetch(String file) {
    return new Pull(
            new ModelCache(folder),
            SILENT,
            () -> Hub.of(_ -> null),
            PackageInstaller::find,
            new Backoff(3, Duration.ofMillis(1)))
        .fetch(Reference.parse(address(file)).orElseThrow());
  }

  private String address(String file) {
    return "http://127.0.0.1:" + server.getAddress().getPort() + "/models/" + file;
  }

  private void fetchAndBreak() {
    breakAfter = 70_000;
    breaks = Integer.MAX_VALUE;
    ranged = false;
    assertThatThrownBy(this::fetch)
        .isInstanceOf(KancilException.class)
        .hasMessageContaining("run it again to go on");
    assertThat(new ModelCache(folder).entries()).isEmpty();
    ranges.clear();
    breaks = 0;
    ranged = true;
  }

  @Test
  void fileIsFetchedOnce() {
    assertThat(fetch()).hasBinaryContent(content);
    assertThat(fetch()).hasBinaryContent(content);
    assertThat(ranges).containsExactly("null");
  }

  @Test
  void brokenConnectionsGoOnWhereTheyStopped() {
    breakAfter = 20_000;
    assertThat(fetch()).hasBinaryContent(content);
    assertThat(ranges).hasSizeGreaterThan(4);
    assertThat(ranges.subList(1, ranges.size()))
        .allMatch(range -> range.matches("bytes=[1-9]\\d*-"));
  }

  @Test
  void laterRunGoesOnWhereTheFirstStopped() {
    fetchAndBreak();
    assertThat(fetch()).hasBinaryContent(content);
    assertThat(ranges).singleElement().asString().matches("bytes=[1-9]\\d*-");
  }

  @Test
  void serverThatCanNotGoOnSendsAllAgain() {
    fetchAndBreak();
    ranged = false;
    assertThat(fetch()).hasBinaryContent(content);
    assertThat(ranges).hasSize(1);
  }

  @Test
  void fileThatChangedMeanwhileIsFetchedAnew() {
    fetchAndBreak();
    content = "other".getBytes(StandardCharsets.UTF_8);
    tag = "\"v2\"";
    assertThat(fetch()).hasBinaryContent(content);
  }

  @Test
  void busyServerIsAskedAgainAFewTimes() {
    busy = 2;
    assertThat(fetch()).hasBinaryContent(content);
    assertThat(ranges).hasSize(3);
    busy = 100;
    assertThatThrownBy(() -> fetch("big-00001-of-00003.gguf"))
        .hasMessageContaining("the server answers 503");
  }

  @Test
  void redirectsAreFollowed() {
    assertThat(fetch("moved.gguf?download=true")).hasBinaryContent(content);
  }

  @Test
  void allPartsOfASplitFileAreFetched() {
    Path first = fetch("big-00002-of-00003.gguf");
    assertThat(first).hasFileName("big-00001-of-00003.gguf").hasBinaryContent(content);
    assertThat(first.resolveSibling("big-00003-of-00003.gguf")).hasBinaryContent(content);
    assertThat(new ModelCache(folder).entries())
        .containsExactly(
            new ModelCache.Entry(
                "big", first, 3L * content.length, address("big-00002-of-00003.gguf")));
  }

  @Test
  void webPageIsNoModel() {
    type = "text/html; charset=utf-8";
    assertThatThrownBy(this::fetch).hasMessageContaining("this is a web page");
  }

  @Test
  void anotherModelOfTheSameNameIsNotTakenForIt() {
    fetch();
    assertThatThrownBy(() -> fetch("other/tiny.gguf"))
        .hasMessageContaining("there is a model called tiny already, from " + address("tiny.gguf"));
  }

  @Test
  void missingFileAndUnreachableServerAreOneLine() {
    assertThatThrownBy(() -> fetch("no.gguf")).hasMessageContaining("the server answers 404");
    server.stop(0);
    assertThatThrownBy(this::fetch).hasMessageContaining("the server can't be reached");
  }
}
