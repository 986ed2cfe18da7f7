package dev.kancil.cli.pull;

import dev.kancil.FormatException;
import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/** Asks web servers, and shows the hub's own alone who asks. */
final class WebClient implements AutoCloseable {
  private static final int MOST_REDIRECTS = 10;

  private final Hub hub;
  private final HttpClient client =
      HttpClient.newBuilder()
          .followRedirects(HttpClient.Redirect.NEVER)
          .connectTimeout(Duration.ofSeconds(20))
          .build();

  WebClient(Hub hub) {
    this.hub = hub;
  }

  /**
   * What a server answered.
   *
   * @param checksum that the hub gives on the way to the file, if it does
   * @param bytes size that the hub gives on the way to the file, if it does
   */
  record Answer(HttpResponse<InputStream> response, Optional<Checksum> checksum, OptionalLong bytes)
      implements AutoCloseable {
    int status() {
      return response.statusCode();
    }

    Optional<String> header(String name) {
      return response.headers().firstValue(name);
    }

    long length() {
      return response.headers().firstValueAsLong("Content-Length").orElse(-1);
    }

    @Override
    public void close() throws IOException {
      response.body().close();
    }
  }

  /**
   * Asks for what lies at an address, and follows redirects.
   *
   * @throws ConnectException if nobody is there
   * @throws PassingFailure if the server can't answer now, or doesn't
   */
  Answer get(URI address, Map<String, String> headers) throws IOException, InterruptedException {
    Optional<Checksum> checksum = Optional.empty();
    OptionalLong bytes = OptionalLong.empty();
    URI at = address;
    for (int i = 0; i <= MOST_REDIRECTS; i++) {
      HttpResponse<InputStream> response = send(at, headers);
      if (hub.isAt(at)) {
        checksum =
            checksum.or(
                () -> response.headers().firstValue("X-Linked-Etag").flatMap(Checksum::ofTag));
        bytes = bytes.isPresent() ? bytes : response.headers().firstValueAsLong("X-Linked-Size");
      }
      int status = response.statusCode();
      Optional<String> location = response.headers().firstValue("Location");
      if (status / 100 != 3 || location.isEmpty()) {
        if (status >= 500 || status == 408 || status == 429) {
          response.body().close();
          throw new PassingFailure(address + ": the server answers " + status, null);
        }
        return new Answer(response, checksum, bytes);
      }
      response.body().close();
      at = redirected(at, location.get());
    }
    throw new FormatException(address + ": the server redirects without end");
  }

  private HttpResponse<InputStream> send(URI address, Map<String, String> headers)
      throws IOException, InterruptedException {
    HttpRequest.Builder request =
        HttpRequest.newBuilder(address)
            .timeout(Duration.ofSeconds(60))
            .header("User-Agent", "kancil")
            .header("Accept-Encoding", "identity")
            .GET();
    headers.forEach(request::header);
    hub.tokenFor(address).ifPresent(token -> request.header("Authorization", "Bearer " + token));
    try {
      return client.send(request.build(), HttpResponse.BodyHandlers.ofInputStream());
    } catch (ConnectException e) {
      throw e;
    } catch (IOException e) {
      throw new PassingFailure(address + ": the server can't be reached (" + reason(e) + ")", e);
    }
  }

  private static URI redirected(URI from, String location) {
    try {
      URI to = from.resolve(location);
      boolean secure = "https".equals(to.getScheme());
      if (to.getHost() != null
          && (secure || ("http".equals(to.getScheme()) && "http".equals(from.getScheme())))) {
        return to;
      }
    } catch (IllegalArgumentException e) {
      throw new FormatException(from + ": the server redirects to no address", e);
    }
    throw new FormatException(from + ": the server redirects to where it isn't safe to follow");
  }

  static String reason(@Nullable Throwable failure) {
    return failure == null || failure.getMessage() == null
        ? "no more is known"
        : failure.getMessage();
  }

  @Override
  public void close() {
    // An answer that is still being read belongs to a fetch that has failed.
    client.shutdownNow();
    client.close();
  }
}
