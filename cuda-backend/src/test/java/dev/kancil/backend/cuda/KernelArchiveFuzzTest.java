package dev.kancil.backend.cuda;

import com.code_intelligence.jazzer.api.FuzzedDataProvider;
import com.code_intelligence.jazzer.junit.FuzzTest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;

/** Whatever is said to be an archive of kernels is read or refused; for Jazzer to run. */
class KernelArchiveFuzzTest {
  @TempDir private static Path folder;

  @FuzzTest(maxDuration = "5s")
  void anyFileIsReadOrRefused(FuzzedDataProvider data) throws IOException {
    Path file = folder.resolve("a.jar");
    KernelArchiveTest.write(file);
    byte[] bytes = Files.readAllBytes(file);
    int at = data.consumeInt(0, bytes.length - 1);
    byte[] inserted = data.consumeRemainingAsBytes();
    System.arraycopy(inserted, 0, bytes, at, Math.min(inserted.length, bytes.length - at));
    Files.write(file, bytes);
    KernelArchiveTest.tryToRead(file);
  }
}
