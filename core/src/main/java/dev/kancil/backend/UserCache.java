package dev.kancil.backend;

import java.nio.file.Path;
import java.util.Locale;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Where a user keeps what can be made or fetched again. */
public final class UserCache {
  private UserCache() {}

  /**
   * The folder for Kancil's things, which need not exist: where {@code KANCIL_CACHE} points, else
   * in the user's folder for such things.
   *
   * @param environment looks up an environment variable
   */
  public static Path folder(Function<String, @Nullable String> environment) {
    String chosen = environment.apply("KANCIL_CACHE");
    if (chosen != null && !chosen.isEmpty()) {
      return Path.of(chosen);
    }
    Path home = Path.of(System.getProperty("user.home"));
    String system = System.getProperty("os.name").toLowerCase(Locale.ROOT);
    if (system.contains("mac")) {
      return home.resolve("Library/Caches/kancil");
    }
    String folder = environment.apply(system.contains("win") ? "LOCALAPPDATA" : "XDG_CACHE_HOME");
    // The specification of XDG folders says to pass over relative ones.
    boolean usable = folder != null && Path.of(folder).isAbsolute();
    return (usable ? Path.of(folder) : home.resolve(".cache")).resolve("kancil");
  }
}
