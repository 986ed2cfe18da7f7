package dev.kancil.backend.cuda;

import dev.kancil.FormatException;
import java.io.File;
import java.io.IOException;
import java.net.JarURLConnection;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Archives of kernels for machines without NVRTC: those that {@code KANCIL_KERNELS} names, then
 * those on the class path.
 */
record PackagedKernels(List<KernelArchive> archives) {
  /** A variable of the environment: files, with the system's separator of paths between them. */
  static final String VARIABLE = "KANCIL_KERNELS";

  /** What helps where a kernel is missing. */
  static final String REMEDY =
      "install NVRTC (pip install nvidia-cuda-nvrtc), or let KANCIL_KERNELS name a file that"
          + " `kancil kernels MODEL -o FILE` made on a machine that has it, or take --device cpu";

  PackagedKernels {
    archives = List.copyOf(archives);
  }

  /**
   * Looks for archives.
   *
   * @param environment looks up an environment variable
   * @throws FormatException if one is damaged, or what was named is not there
   */
  static PackagedKernels find(Function<String, @Nullable String> environment) {
    Set<Path> files = new LinkedHashSet<>();
    String named = environment.apply(VARIABLE);
    if (named != null) {
      for (String file : named.split(File.pathSeparator, -1)) {
        if (!file.isEmpty()) {
          files.add(path(file));
        }
      }
    }
    files.addAll(onClassPath());
    return new PackagedKernels(files.stream().map(KernelArchive::open).toList());
  }

  private static Path path(String file) {
    try {
      return Path.of(file);
    } catch (InvalidPathException e) {
      throw new FormatException(VARIABLE + " names " + file + ", which can't be a file", e);
    }
  }

  private static List<Path> onClassPath() {
    List<Path> files = new ArrayList<>();
    try {
      ClassLoader loader = PackagedKernels.class.getClassLoader();
      for (URL index : Collections.list(loader.getResources(KernelArchive.INDEX))) {
        // A JAR within another has no file of its own.
        if (index.openConnection() instanceof JarURLConnection jar
            && jar.getJarFileURL().getProtocol().equals("file")) {
          files.add(Path.of(new URI(jar.getJarFileURL().toString())));
        }
      }
    } catch (IOException e) {
      throw new FormatException("the class path can't be searched for kernels: " + e, e);
    } catch (URISyntaxException e) {
      throw new FormatException("kernels lie in a JAR whose name is no URI: " + e.getInput(), e);
    }
    return files;
  }

  /** The best of what kernels are for on a device; empty if there are none for it. */
  Optional<KernelTarget> targetFor(int deviceCapability) {
    Set<KernelTarget> targets = EnumSet.noneOf(KernelTarget.class);
    archives.forEach(archive -> targets.addAll(archive.targets()));
    return KernelTarget.best(deviceCapability, targets);
  }

  private String names() {
    return archives.stream()
        .map(archive -> archive.file().toString())
        .collect(Collectors.joining(" and "));
  }

  /** Those for a target. */
  KernelStock stock(KernelTarget target) {
    return new KernelStock() {
      @Override
      public byte @Nullable [] find(String source, String options) {
        for (KernelArchive archive : archives) {
          byte[] ptx = archive.find(target, source, options);
          if (ptx != null) {
            return ptx;
          }
        }
        return null;
      }

      @Override
      public String name() {
        return names();
      }
    };
  }
}
