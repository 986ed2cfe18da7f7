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
  private int breakAfter = Integer.MAX_VALUE;
  private final List<String> ranges = new ArrayList<>();

  @BeforeEach
  void serve() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext("/models/tiny.gguf", this::answer);
    server.start();
  }

  @AfterEach
  void stop() {
    server.stop(0);
  }

  private void answer(HttpExchange exchange) throws IOException {
    String range = exchange.getRequestHeaders().getFirst("Range");
    ranges.add(String.valueOf(range));
    int start = 0;
    if (range != null && tag.equals(exchange.getRequestHeaders().getFirst("If-Range"))) {
      start = Integer.parseInt(range.replaceAll("bytes=(\\d+)-", "$1"));
    }
    exchange.getResponseHeaders().set("ETag", tag);
    exchange.sendResponseHeaders(start > 0 ? 206 : 200, content.length - start);
    int end = start + Math.min(content.length - start, breakAfter);
    exchange.getResponseBody().write(content, start, end - start);
    exchange.getResponseBody().flush();
    // With less than was promised, this breaks the connection.
    exchange.close();
  }

  private Path fetch() {
    return new Pull(new ModelCache(folder), SILENT)
        .fetch(Reference.parse(address("tiny.gguf")).orElseThrow());
  }

  private String address(String file) {
    return "http://127.0.0.1:" + server.getAddress().getPort() + "/models/" + file;
  }

  @Test
  void fileIsFetchedOnce() {
    assertThat(fetch()).hasBinaryContent(content);
    assertThat(fetch()).hasBinaryContent(content);
    assertThat(ranges).containsExactly("null");
  }

  @Test
  void brokenConnectionGoesOnWhereItStopped() {
    breakAfter = 70_000;
    assertThatThrownBy(this::fetch).isInstanceOf(KancilException.class);
    assertThat(new ModelCache(folder).entries()).isEmpty();
    breakAfter = Integer.MAX_VALUE;
    assertThat(fetch()).hasBinaryContent(content);
    assertThat(ranges).hasSize(2);
    assertThat(ranges.getLast()).matches("bytes=[1-9]\\d*-");
  }

  @Test
  void fileThatChangedMeanwhileIsFetchedAnew() {
    breakAfter = 70_000;
    assertThatThrownBy(this::fetch).isInstanceOf(KancilException.class);
    breakAfter = Integer.MAX_VALUE;
    content = "other".getBytes(StandardCharsets.UTF_8);
    tag = "\"v2\"";
    assertThat(fetch()).hasBinaryContent(content);
  }

  @Test
  void missingFileAndUnreachableServerAreOneLine() {
    Pull pull = new Pull(new ModelCache(folder), SILENT);
    assertThatThrownBy(() -> pull.fetch(Reference.parse(address("no.gguf")).orElseThrow()))
        .hasMessageContaining("the server answers 404");
    server.stop(0);
    assertThatThrownBy(this::fetch).hasMessageContaining("the server can't be reached");
  }
}
