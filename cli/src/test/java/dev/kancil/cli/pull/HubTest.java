package dev.kancil.cli.pull;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.kancil.KancilException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class HubTest {
  private static final byte[] WEIGHTS =
      "0123456789".repeat(30_000).getBytes(StandardCharsets.UTF_8);

  @TempDir private Path folder;
  private LocalHub hub;
  private final Map<String, String> environment = new HashMap<>();
  private final List<String> shown = new ArrayList<>();

  @BeforeEach
  void open() throws IOException {
    hub = new LocalHub();
    environment.put("HF_ENDPOINT", hub.endpoint() + "/");
    environment.put("HF_HOME", folder.resolve("home").toString());
  }

  @AfterEach
  void close() {
    hub.close();
  }

  private ModelCache cache() {
    return new ModelCache(folder.resolve("cache"));
  }

  private Path fetch(String reference) {
    Progress.Display display =
        (what, bytes) -> {
          shown.add(what + " " + bytes);
          return new Progress() {
            @Override
            public void done(long done) {
              assertThat(done).isBetween(0L, bytes);
            }

            @Override
            public void close() {}
          };
        };
    return new Pull(
            cache(),
            display,
            () -> Hub.of(environment::get),
            PackageInstaller::find,
            new Backoff(2, Duration.ofMillis(1)))
        .fetch(Reference.parse(reference).orElseThrow());
  }

  private void fails(ThrowingCallable fetch, String... texts) {
    assertThatThrownBy(fetch)
        .isInstanceOf(KancilException.class)
        .message()
        .contains(texts)
        .doesNotContain("\n");
    assertThat(cache().entries()).isEmpty();
  }

  private void folderOfTransformers() {
    hub.small("README.md", "words")
        .small("config.json", "{}")
        .small("generation_config.json", "{\"a\": 1}")
        .small("tokenizer_config.json", "{\"b\": 1}")
        .large("tokenizer.json", "{\"c\": 1}")
        .small("chat_template.jinja", "{{ x }}")
        .small("model.safetensors.index.json", "{\"d\": 1}")
        .large("model-00001-of-00002.safetensors", WEIGHTS)
        .large("model-00002-of-00002.safetensors", "more weights")
        .large("consolidated.safetensors", "the same weights")
        .large("pytorch_model.bin", "the same weights")
        .large("onnx/model.onnx", "the same weights");
  }

  @Test
  void folderOfTransformersIsFetchedWithoutWhatIsNotRead() throws IOException {
    folderOfTransformers();
    Path model = fetch("hf:owner/repo");
    assertThat(model).isEqualTo(folder.resolve("cache/models/owner--repo"));
    assertThat(names(model))
        .containsExactly(
            "chat_template.jinja",
            "config.json",
            "generation_config.json",
            "model-00001-of-00002.safetensors",
            "model-00002-of-00002.safetensors",
            "model.safetensors.index.json",
            "tokenizer.json",
            "tokenizer_config.json");
    assertThat(model.resolve("model-00001-of-00002.safetensors")).hasBinaryContent(WEIGHTS);
    assertThat(shown).containsExactly("Fetching owner--repo " + (WEIGHTS.length + 53));
    assertThat(hub.mostAtOnce.get()).isBetween(2, 4);
    assertThat(cache().entries())
        .containsExactly(
            new ModelCache.Entry("owner--repo", model, WEIGHTS.length + 53L, "hf:owner/repo"));
    assertThat(folder.resolve("cache/downloads/owner--repo")).doesNotExist();
    int requests = hub.requests.size();
    assertThat(fetch("hf:owner/repo")).isEqualTo(model);
    assertThat(hub.requests).hasSize(requests);
  }

  @Test
  void howSentenceTransformersPoolsComesWithIt() throws IOException {
    hub.small("config.json", "{}")
        .small("modules.json", "[]")
        .small("sentence_bert_config.json", "{}")
        .small("1_Pooling/config.json", "{\"pooling_mode_cls_token\": true}")
        .small("openvino/config.json", "{}")
        .large("model.safetensors", "weights");
    Path model = fetch("hf:owner/repo");
    assertThat(names(model))
        .containsExactly(
            "1_Pooling",
            "config.json",
            "model.safetensors",
            "modules.json",
            "sentence_bert_config.json");
    assertThat(model.resolve("1_Pooling/config.json")).content().contains("cls");
  }

  private static List<String> names(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList();
    }
  }

  @Test
  void onlyModelOfARepositoryIsTaken() {
    hub.small("config.json", "{}").large("mmproj-F16.gguf", "x").large("a b.gguf", WEIGHTS);
    assertThat(fetch("hf:owner/repo")).hasFileName("owner--repo.gguf").hasBinaryContent(WEIGHTS);
  }

  @Test
  void amongSeveralModelsOneIsToBeNamed() {
    hub.large("m-Q4_K_M.gguf", WEIGHTS).large("m-Q4_K_S.gguf", "x").large("sub/m-Q8_0.gguf", "8");
    fails(
        () -> fetch("hf:owner/repo"),
        "it has 3 models; name one, as in hf:owner/repo:FILE: m-Q4_K_M.gguf (0 MB)");
    fails(() -> fetch("hf:owner/repo:q4_k"), "it has 2 such models");
    fails(() -> fetch("hf:owner/repo:Q6_K"), "it has no such GGUF file", "sub/m-Q8_0.gguf");
    assertThat(fetch("hf:owner/repo:q4_k_s")).hasContent("x");
    assertThat(fetch("hf:owner/repo:sub/m-Q8_0.gguf"))
        .hasContent("8")
        .hasFileName("owner--repo--sub--m-Q8_0.gguf");
  }

  @Test
  void splitModelIsFetchedInAllItsParts() {
    hub.large("q/m-00001-of-00002.gguf", WEIGHTS).large("q/m-00002-of-00002.gguf", "2");
    Path first = fetch("hf:owner/repo:q/m-00002-of-00002.gguf");
    assertThat(first).hasFileName("m-00001-of-00002.gguf").hasBinaryContent(WEIGHTS);
    assertThat(first.resolveSibling("m-00002-of-00002.gguf")).hasContent("2");
  }

  @Test
  void splitModelWithoutAPartIsRefused() {
    hub.large("m-00001-of-00002.gguf", WEIGHTS);
    fails(() -> fetch("hf:owner/repo"), "but not m-00002-of-00002.gguf");
  }

  @Test
  void repositoryWithoutAModelThatCanBeReadIsRefused() {
    hub.small("config.json", "{}").large("pytorch_model.bin", "x");
    fails(() -> fetch("hf:owner/repo"), "no GGUF file, and no config.json with safetensors");
    fails(() -> fetch("hf:owner/repo:x"), "it has no GGUF file");
  }

  @Test
  void tokenIsShownToTheHubAlone() throws IOException {
    hub.wantedToken = "secret";
    hub.large("m.gguf", WEIGHTS);
    fails(() -> fetch("hf:owner/repo"), "refuses (401)", "/owner/repo and set HF_TOKEN");
    environment.put("HF_TOKEN", "wrong");
    fails(() -> fetch("hf:owner/repo"), "refuses (401)", "the token may not read it");
    environment.remove("HF_TOKEN");
    Files.createDirectories(folder.resolve("home"));
    Files.writeString(folder.resolve("home/token"), "secret\n");
    hub.requests.clear();
    assertThat(fetch("hf:owner/repo")).hasBinaryContent(WEIGHTS);
    assertThat(hub.requests)
        .containsExactly("hub main Bearer secret", "hub m.gguf Bearer secret", "storage m.gguf");
  }

  @Test
  void tokenThatCanBeNoneIsNotSent() {
    environment.put("HF_TOKEN", "a\r\nHost: b");
    fails(() -> fetch("hf:owner/repo"), "HF_TOKEN holds no token");
    assertThat(hub.requests).isEmpty();
  }

  @Test
  void gatedMissingAndFailingRepositoriesAreOneLine() {
    hub.status = 403;
    fails(() -> fetch("hf:owner/repo"), "refuses (403)", "accept its terms at");
    hub.status = 404;
    fails(() -> fetch("hf:owner/repo"), "hf:owner/repo: the hub has no such repository");
    hub.status = 500;
    fails(() -> fetch("hf:owner/repo"), "500");
    assertThat(hub.requests).hasSize(5);
    hub.close();
    fails(() -> fetch("hf:owner/repo"), "can't be reached");
    environment.put("HF_ENDPOINT", "nowhere");
    fails(() -> fetch("hf:owner/repo"), "HF_ENDPOINT is no address");
  }

  @Test
  void connectionsThatBreakGoOn() {
    folderOfTransformers();
    hub.breakAfter = 100_000;
    Path model = fetch("hf:owner/repo");
    assertThat(model.resolve("model-00001-of-00002.safetensors")).hasBinaryContent(WEIGHTS);
    assertThat(hub.requests)
        .anyMatch(request -> request.matches("storage model-00001\\S* bytes=[1-9]\\d*-"));
  }

  @Test
  void laterRunFetchesOnlyWhatIsMissing() {
    folderOfTransformers();
    hub.breakAfter = 100_000;
    hub.ranged = false;
    fails(() -> fetch("hf:owner/repo"), "model-00001-of-00002", "run it again to go on");
    hub.requests.clear();
    hub.breakAfter = Integer.MAX_VALUE;
    hub.ranged = true;
    Path model = fetch("hf:owner/repo");
    assertThat(model.resolve("model-00001-of-00002.safetensors")).hasBinaryContent(WEIGHTS);
    assertThat(hub.requests)
        .anyMatch(request -> request.matches("storage model-00001\\S* bytes=[1-9]\\d*-"));
  }

  @Test
  void otherBytesThanTheHubHasSeenAreRefused() {
    byte[] other = WEIGHTS.clone();
    other[200_000]++;
    hub.large("m.gguf", WEIGHTS);
    hub.send("m.gguf", other);
    fails(() -> fetch("hf:owner/repo"), "m.gguf", "SHA-256");
    // What was wrong is not gone on from.
    hub.send("m.gguf", WEIGHTS);
    assertThat(fetch("hf:owner/repo")).hasBinaryContent(WEIGHTS);
  }

  @Test
  void smallFilesAreCheckedToo() {
    folderOfTransformers();
    hub.send("config.json", "[]".getBytes(StandardCharsets.UTF_8));
    fails(() -> fetch("hf:owner/repo"), "config.json", "git hash");
  }

  @Test
  void sizesThatAreLiesAreRefused() {
    hub.large("m.gguf", WEIGHTS);
    hub.lie("m.gguf", WEIGHTS.length + 1);
    fails(() -> fetch("hf:owner/repo"), "a file of 300,000 bytes, not of 300,001");
    hub.lie("m.gguf", WEIGHTS.length - 1);
    hub.chunked = true;
    fails(() -> fetch("hf:owner/repo"), "sends more than the file's 299,999 bytes");
    hub.lie("m.gguf", WEIGHTS.length + 1);
    fails(() -> fetch("hf:owner/repo"), "300000 of 300001 bytes");
    hub.lie("m.gguf", Long.MAX_VALUE);
    fails(() -> fetch("hf:owner/repo"), "no size");
    hub.lie("m.gguf", 1L << 49);
    fails(() -> fetch("hf:owner/repo"), "MB more, but", "MB free");
  }

  @Test
  void namesCanNotLeaveTheFolder() {
    hub.large("../m.gguf", WEIGHTS);
    fails(() -> fetch("hf:owner/repo"), "impossible name");
    hub.large("..\\\\..\\\\n.gguf", WEIGHTS);
    fails(() -> fetch("hf:owner/repo:n.gguf"), "impossible name");
    for (String reference : List.of("hf:../x", "hf:a", "hf:a/b/c", "hf:a/b:", "hf:/b", "hf:a/..")) {
      assertThatThrownBy(() -> Reference.parse(reference))
          .as(reference)
          .isInstanceOf(KancilException.class);
    }
  }

  @Test
  void addressOfAFileOnTheHubIsCheckedLikeAReference() {
    String address = hub.endpoint() + "/owner/repo/resolve/" + LocalHub.COMMIT + "/m.gguf";
    hub.large("m.gguf", WEIGHTS);
    environment.put("HF_TOKEN", "t");
    byte[] other = WEIGHTS.clone();
    other[0]++;
    hub.send("m.gguf", other);
    fails(() -> fetch(address), "SHA-256");
    hub.send("m.gguf", WEIGHTS);
    hub.breakAfter = 100_000;
    hub.requests.clear();
    assertThat(fetch(address)).hasBinaryContent(WEIGHTS);
    assertThat(hub.requests)
        .startsWith("hub m.gguf Bearer t", "storage m.gguf", "hub m.gguf bytes=100000- Bearer t");
  }

  @Test
  void fullDiskIsOneLine() throws IOException {
    Path full = Path.of("/dev/full");
    assumeTrue(Files.exists(full), "SKIPPED: there is no /dev/full");
    hub.large("m.gguf", WEIGHTS);
    Path part = folder.resolve("cache/downloads/owner--repo/files/m.gguf");
    Files.createDirectories(part.getParent());
    Files.createSymbolicLink(part, full);
    fails(() -> fetch("hf:owner/repo"), "No space left on device; free some space");
  }
}
