package dev.kancil.cuda.emulator;

/**
 * A device to emulate.
 *
 * @param name that the driver tells
 * @param computeCapability 80 for sm_80; PTX for newer devices is refused
 * @param memoryBytes that can be allocated in all; only what is allocated takes memory of the host
 * @param multiprocessors that the driver tells; it changes nothing else
 * @param workers threads that run blocks; results do not depend on it
 * @param checksRaces whether accesses to shared memory are watched for data races
 * @param instructionLimit instructions times threads of one block, after which a launch counts as
 *     endless
 */
public record EmulatedDevice(
    String name,
    int computeCapability,
    long memoryBytes,
    int multiprocessors,
    int workers,
    boolean checksRaces,
    long instructionLimit) {

  /** Checks the values. */
  public EmulatedDevice {
    if (computeCapability < 10
        || memoryBytes < 1
        || multiprocessors < 1
        || workers < 1
        || instructionLimit < 1) {
      throw new IllegalArgumentException("no device can be like this: " + name);
    }
  }

  /**
   * An sm_80 device with 8 GiB, a worker and a multiprocessor for each processor, and all checks.
   */
  public static EmulatedDevice standard() {
    int processors = Runtime.getRuntime().availableProcessors();
    return new EmulatedDevice(
        "Emulated GPU", 80, 8L << 30, processors, processors, true, 10_000_000_000L);
  }

  /** The same with another compute capability: 75, 80, 86, 89, 90 … */
  public EmulatedDevice withComputeCapability(int capability) {
    return new EmulatedDevice(
        name, capability, memoryBytes, multiprocessors, workers, checksRaces, instructionLimit);
  }

  public EmulatedDevice withMemoryBytes(long bytes) {
    return new EmulatedDevice(
        name, computeCapability, bytes, multiprocessors, workers, checksRaces, instructionLimit);
  }

  public EmulatedDevice withMultiprocessors(int count) {
    return new EmulatedDevice(
        name, computeCapability, memoryBytes, count, workers, checksRaces, instructionLimit);
  }

  /** With so many workers, and multiprocessors. */
  public EmulatedDevice withWorkers(int count) {
    return new EmulatedDevice(
        name, computeCapability, memoryBytes, count, count, checksRaces, instructionLimit);
  }

  public EmulatedDevice withRaceCheck(boolean checked) {
    return new EmulatedDevice(
        name, computeCapability, memoryBytes, multiprocessors, workers, checked, instructionLimit);
  }

  public EmulatedDevice withInstructionLimit(long limit) {
    return new EmulatedDevice(
        name, computeCapability, memoryBytes, multiprocessors, workers, checksRaces, limit);
  }

  /** The most shared memory of a block, as the CUDA programming guide's table has it. */
  int optInSharedBytes() {
    return switch (computeCapability) {
      case 75 -> 64 << 10;
      case 80, 87 -> 163 << 10;
      case 90, 100, 103 -> 227 << 10;
      default -> 99 << 10;
    };
  }
}
