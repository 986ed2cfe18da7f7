package dev.kancil.cli.pull;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A model hub of one repository, {@code owner/repo}, on this machine. It redirects requests for
 * large files to a second server, and can do so badly.
 */
final class LocalHub implements AutoCloseable {
  static final String COMMIT = "0123456789abcdef0123456789abcdef01234567";
  private static final String REPOSITORY = "owner/repo";

  /** A file, and what the hub says of it. */
  record Kept(byte[] content, boolean large) {}

  private final HttpServer hub;
  private final HttpServer storage;
  private final Map<String, Kept> files = new LinkedHashMap<>();
  private final Map<String, Long> lies = new ConcurrentHashMap<>();
  private final Map<String, byte[]> sent = new ConcurrentHashMap<>();

  /** Requests as {@code hub /path token}. */
  final List<String> requests = Collections.synchronizedList(new ArrayList<>());

  private final AtomicInteger now = new AtomicInteger();

  /** How many files were sent at the same time, at most. */
  final AtomicInteger mostAtOnce = new AtomicInteger();

  String wantedToken = "";
  boolean ranged = true;
  boolean chunked;
  int breakAfter = Integer.MAX_VALUE;
  int status = 200;

  LocalHub() throws IOException {
    hub = server(this::answerAsHub);
    storage = server(this::answerAsStorage);
  }

  private static HttpServer server(com.sun.net.httpserver.HttpHandler handler) throws IOException {
    HttpServer server =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext("/", handler);
    server.setExecutor(task -> Thread.ofVirtual().start(task));
    server.start();
    return server;
  }

  String endpoint() {
    return "http://127.0.0.1:" + hub.getAddress().getPort();
  }

  /** A file that the hub stores itself, and knows git's hash of. */
  LocalHub small(String path, String content) {
    files.put(path, new Kept(content.getBytes(StandardCharsets.UTF_8), false));
    return this;
  }

  /** A file that lies elsewhere, and of which the hub knows SHA-256. */
  LocalHub large(String path, byte[] content) {
    files.put(path, new Kept(content, true));
    return this;
  }

  LocalHub large(String path, String content) {
    return large(path, content.getBytes(StandardCharsets.UTF_8));
  }

  /** Sends something else than what the list of files describes. */
  void send(String path, byte[] content) {
    sent.put(path, content);
  }

  /** States another size. */
  void lie(String path, long bytes) {
    lies.put(path, bytes);
  }

  private void answerAsHub(HttpExchange exchange) throws IOException {
    String path = note("hub", exchange);
    String token = exchange.getRequestHeaders().getFirst("Authorization");
    if (status != 200 || (!wantedToken.isEmpty() && !("Bearer " + wantedToken).equals(token))) {
      exchange.sendResponseHeaders(status == 200 ? 401 : status, -1);
      exchange.close();
      return;
    }
    String files = "/" + REPOSITORY + "/resolve/" + COMMIT + "/";
    if (path.equals("/api/models/" + REPOSITORY + "/revision/main")) {
      byte[] list = list().getBytes(StandardCharsets.UTF_8);
      exchange.sendResponseHeaders(200, list.length);
      exchange.getResponseBody().write(list);
      exchange.close();
      return;
    }
    String name = path.startsWith(files) ? path.substring(files.length()) : "";
    Kept file = this.files.get(name);
    if (file != null) {
      if (file.large()) {
        MessageDigest sha256 = Digest.sha256();
        sha256.update(file.content());
        exchange
            .getResponseHeaders()
            .set("X-Linked-Etag", "\"" + Digest.hexadecimal(sha256) + "\"");
        exchange.getResponseHeaders().set("X-Linked-Size", "" + file.content().length);
        exchange
            .getResponseHeaders()
            .set(
                "Location",
                "http://127.0.0.1:%d%s?signature=x"
                    .formatted(
                        storage.getAddress().getPort(), exchange.getRequestURI().getRawPath()));
        exchange.sendResponseHeaders(302, -1);
        exchange.close();
      } else {
        sendFile(name, exchange);
      }
    } else {
      exchange.sendResponseHeaders(404, -1);
      exchange.close();
    }
  }

  private void answerAsStorage(HttpExchange exchange) throws IOException {
    String path = note("storage", exchange);
    sendFile(path.replaceFirst(".*/resolve/[0-9a-f]*/", ""), exchange);
  }

  private String note(String server, HttpExchange exchange) {
    String path = exchange.getRequestURI().getPath();
    String range = exchange.getRequestHeaders().getFirst("Range");
    String token = exchange.getRequestHeaders().getFirst("Authorization");
    requests.add(
        server
            + " "
            + path.substring(path.lastIndexOf('/') + 1)
            + (range == null ? "" : " " + range)
            + (token == null ? "" : " " + token));
    return path;
  }

  private void sendFile(String name, HttpExchange exchange) throws IOException {
    byte[] content = sent.getOrDefault(name, Objects.requireNonNull(files.get(name)).content());
    mostAtOnce.accumulateAndGet(now.incrementAndGet(), Math::max);
    try {
      Thread.sleep(20);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    now.decrementAndGet();
    String range = exchange.getRequestHeaders().getFirst("Range");
    int start = 0;
    if (ranged && range != null) {
      start = Integer.parseInt(range.replaceAll("bytes=(\\d+)-", "$1"));
      exchange
          .getResponseHeaders()
          .set("Content-Range", "bytes %d-%d/*".formatted(start, content.length - 1));
    }
    // Zero bytes are sent in chunks otherwise.
    int rest = content.length - start;
    exchange.sendResponseHeaders(start > 0 ? 206 : 200, chunked ? 0 : rest == 0 ? -1 : rest);
    exchange.getResponseBody().write(content, start, Math.min(rest, breakAfter));
    exchange.getResponseBody().flush();
    exchange.close();
  }

  private String list() {
    StringBuilder list = new StringBuilder("{\"sha\": \"" + COMMIT + "\", \"siblings\": [");
    String comma = "";
    for (Map.Entry<String, Kept> file : files.entrySet()) {
      byte[] content = file.getValue().content();
      long bytes = lies.getOrDefault(file.getKey(), (long) content.length);
      list.append(comma)
          .append(
              "{\"rfilename\": \"%s\", \"size\": %d, \"blobId\": \"%s\""
                  .formatted(file.getKey(), bytes, gitBlob(content)));
      if (file.getValue().large()) {
        MessageDigest sha256 = Digest.sha256();
        sha256.update(content);
        list.append(
            ", \"lfs\": {\"sha256\": \"%s\", \"size\": %d, \"pointerSize\": 134}"
                .formatted(Digest.hexadecimal(sha256), bytes));
      }
      list.append("}");
      comma = ", ";
    }
    return list.append("]}").toString();
  }

  private static String gitBlob(byte[] content) {
    MessageDigest digest = Digest.sha1();
    digest.update(("blob " + content.length + "\0").getBytes(StandardCharsets.US_ASCII));
    digest.update(content);
    return Digest.hexadecimal(digest);
  }

  @Override
  public void close() {
    hub.stop(0);
    storage.stop(0);
  }
}
