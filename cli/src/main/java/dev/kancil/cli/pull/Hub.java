package dev.kancil.cli.pull;

import dev.kancil.FormatException;
import dev.kancil.InvalidRequestException;
import dev.kancil.format.TextFile;
import dev.kancil.format.json.Json;
import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The model hub, as its own tools find it: {@code HF_ENDPOINT} is another one's address, {@code
 * HF_TOKEN} or a file says who asks.
 *
 * @see <a href="https://huggingface.co/docs/hub/api">Its API</a>
 */
public final class Hub {
  private static final String USUAL = "https://huggingface.co";
  private static final int MOST_LISTING_BYTES = 64 << 20;
  private static final int MOST_FILES = 100_000;
  private static final long MOST_BYTES = 1L << 50;
  private static final Pattern TOKEN = Pattern.compile("[!-~]+");
  private static final Pattern COMMIT = Pattern.compile("[0-9a-f]{40,64}");

  private final URI endpoint;
  private final Optional<String> token;

  private Hub(URI endpoint, Optional<String> token) {
    this.endpoint = endpoint;
    this.token = token;
  }

  /**
   * @param environment looks up an environment variable
   * @throws InvalidRequestException if a variable says something impossible
   */
  public static Hub of(Function<String, @Nullable String> environment) {
    String set = environment.apply("HF_ENDPOINT");
    String address = set == null || set.isBlank() ? USUAL : set.strip().replaceFirst("/+$", "");
    try {
      URI endpoint = new URI(address);
      if (endpoint.getHost() == null || !String.valueOf(endpoint.getScheme()).matches("https?")) {
        throw new InvalidRequestException("HF_ENDPOINT is no address: " + address);
      }
      return new Hub(endpoint, token(environment));
    } catch (URISyntaxException e) {
      throw new InvalidRequestException("HF_ENDPOINT is no address: " + address, e);
    }
  }

  private static Optional<String> token(Function<String, @Nullable String> environment) {
    String name = "HF_TOKEN";
    String text = environment.apply(name);
    if (text == null || text.isBlank()) {
      Path file = tokenFile(environment);
      name = file.toString();
      text = Files.isReadable(file) ? TextFile.read(file, 10_000) : "";
    }
    String token = text.strip();
    if (!token.isEmpty() && !TOKEN.matcher(token).matches()) {
      throw new InvalidRequestException(name + " holds no token of the hub");
    }
    return Optional.of(token).filter(t -> !t.isEmpty());
  }

  private static Path tokenFile(Function<String, @Nullable String> environment) {
    String path = environment.apply("HF_TOKEN_PATH");
    if (path != null && !path.isBlank()) {
      return Path.of(path);
    }
    String home = environment.apply("HF_HOME");
    if (home != null && !home.isBlank()) {
      return Path.of(home, "token");
    }
    String caches = environment.apply("XDG_CACHE_HOME");
    return (caches == null || caches.isBlank()
            ? Path.of(System.getProperty("user.home"), ".cache")
            : Path.of(caches))
        .resolve("huggingface")
        .resolve("token");
  }

  /** Whether an address is one of the hub's own server. */
  boolean isAt(URI address) {
    return endpoint.getScheme().equals(address.getScheme())
        && endpoint.getHost().equalsIgnoreCase(address.getHost())
        && endpoint.getPort() == address.getPort();
  }

  /** The token to show there: nobody but the hub may see it. */
  Optional<String> tokenFor(URI address) {
    return isAt(address) ? token : Optional.empty();
  }

  /** What a status other than success means, and what to do. */
  static String refusal(int status) {
    return switch (status) {
      case 401, 403 ->
          "the server refuses ("
              + status
              + "); does it take a token in HF_TOKEN, and may its owner"
              + " read this?";
      default -> "the server answers " + status;
    };
  }

  /** A file of a repository, under the path that it has there. */
  record Listed(String path, long bytes, Optional<Checksum> checksum) {}

  /**
   * A repository at one moment.
   *
   * @param commit that all files are taken of
   */
  record Listing(Reference.Repository repository, String commit, List<Listed> files) {}

  /**
   * Asks for a repository's files.
   *
   * @throws FormatException if the hub can't be reached, has no such repository, or refuses it
   */
  Listing list(WebClient web, Backoff backoff, Reference.Repository repository)
      throws IOException, InterruptedException {
    URI address =
        URI.create(endpoint + "/api/models/" + repository.path() + "/revision/main?blobs=true");
    for (int failures = 1; ; failures++) {
      try (WebClient.Answer answer = web.get(address, Map.of())) {
        switch (answer.status()) {
          case 200 -> {}
          case 404 -> throw new FormatException(repository + ": the hub has no such repository");
          case 401, 403 -> throw refused(repository, answer.status());
          default -> throw new FormatException(repository + ": the hub answers " + answer.status());
        }
        try (InputStream body = answer.response().body()) {
          byte[] text = body.readNBytes(MOST_LISTING_BYTES + 1);
          if (text.length > MOST_LISTING_BYTES) {
            throw new FormatException(repository + ": the hub's list of files is too long");
          }
          return read(repository, new String(text, StandardCharsets.UTF_8));
        }
      } catch (ConnectException e) {
        throw new FormatException(endpoint + ": the server can't be reached", e);
      } catch (IOException e) {
        if (failures > backoff.tries()) {
          throw new FormatException(
              repository + ": the hub's list of files can't be read: " + WebClient.reason(e), e);
        }
        backoff.pause(failures);
      }
    }
  }

  private FormatException refused(Reference.Repository repository, int status) {
    String page = endpoint + "/" + repository.path();
    return new FormatException(
        repository
            + ": the hub refuses ("
            + status
            + "): "
            + (token.isEmpty()
                ? "it is private or gated, or there is no such repository; accept its terms at "
                    + page
                    + " and set HF_TOKEN to a token that may read it"
                : "the token may not read it, or is no longer valid; accept the terms at "
                    + page
                    + " with the account of the token, and let the token read gated"
                    + " repositories"));
  }

  private static Listing read(Reference.Repository repository, String text) {
    Object parsed;
    try {
      parsed = Json.parse(text);
    } catch (FormatException e) {
      throw new FormatException(repository + ": the hub's answer: " + e.getMessage(), e);
    }
    if (!(parsed instanceof Map<?, ?> model)
        || !(model.get("sha") instanceof String commit)
        || !COMMIT.matcher(commit).matches()
        || !(model.get("siblings") instanceof List<?> siblings)
        || siblings.size() > MOST_FILES) {
      throw new FormatException(repository + ": the hub's answer is no list of files");
    }
    List<Listed> files = new ArrayList<>();
    for (Object sibling : siblings) {
      if (!(sibling instanceof Map<?, ?> file) || !(file.get("rfilename") instanceof String path)) {
        throw new FormatException(repository + ": the hub lists a file without a name");
      }
      Map<?, ?> large = file.get("lfs") instanceof Map<?, ?> lfs ? lfs : Map.of();
      long bytes =
          file.get("size") instanceof Long size && size >= 0 && size <= MOST_BYTES ? size : -1;
      Optional<Checksum> checksum =
          large.get("sha256") instanceof String digits
              ? Checksum.parse(Checksum.Kind.SHA_256, digits)
              : large.isEmpty() && file.get("blobId") instanceof String blob
                  ? Checksum.parse(Checksum.Kind.GIT_BLOB, blob)
                  : Optional.empty();
      files.add(new Listed(path, bytes, checksum));
    }
    return new Listing(repository, commit, files);
  }

  /**
   * Where a file of a repository is, under its own name; few keep a folder ({@link
   * HubChoice#keepsFolder}).
   */
  RemoteFile remote(Listing listing, Listed file) {
    if (file.bytes() < 0 || file.checksum().isEmpty()) {
      throw new FormatException(
          listing.repository() + ": the hub states no size or checksum of " + file.path());
    }
    for (String step : file.path().split("/", -1)) {
      if (step.isEmpty() || step.equals(".") || step.equals("..") || step.contains("\\")) {
        throw new FormatException(
            listing.repository()
                + ": the hub lists a file with the impossible name "
                + file.path());
      }
    }
    try {
      // This constructor quotes what an address can't have.
      String quoted = new URI(null, null, "/" + file.path(), null).getRawPath();
      URI address =
          URI.create(
              endpoint
                  + "/"
                  + listing.repository().path()
                  + "/resolve/"
                  + listing.commit()
                  + quoted);
      String name =
          HubChoice.keepsFolder(file.path())
              ? file.path()
              : Reference.plain(file.path().substring(file.path().lastIndexOf('/') + 1));
      return new RemoteFile(address, name, file.bytes(), file.checksum());
    } catch (URISyntaxException e) {
      throw new FormatException(
          listing.repository() + ": the hub lists a file with the impossible name " + file.path(),
          e);
    }
  }
}
