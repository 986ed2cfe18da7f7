package dev.kancil.conformance;

import dev.kancil.UnsupportedException;
import dev.kancil.backend.Device;
import dev.kancil.backend.DeviceDescription;
import dev.kancil.conformance.Result.Status;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * Holds a device to the reference: every case on both, compared by normalised mean squared error,
 * with guard zones around all buffers of the device and NaN in values that are yet to be computed.
 */
public final class Conformance {
  /** Cases of one kind lie beside each other, and share kernels. */
  private static final int CASES_AT_ONCE = 16;

  private final Device device;
  private final Device reference;

  private Conformance(Device device, Device reference) {
    this.device = device;
    this.reference = reference;
  }

  /** All cases. */
  public static List<Case> cases() {
    List<Case> cases = new ArrayList<>();
    cases.addAll(RowCases.all());
    cases.addAll(ProductCases.all());
    cases.addAll(MoeCases.all());
    cases.addAll(RopeCases.all());
    cases.addAll(AttentionCases.all());
    cases.addAll(SampleCases.all());
    return List.copyOf(cases);
  }

  /**
   * Runs all cases.
   *
   * @param device opened with {@link dev.kancil.backend.DeviceOptions#withGuards}
   * @param reference the reference device
   * @param listener hears of each result at once
   * @throws IllegalArgumentException if the device has no guard zones
   */
  public static Report run(Device device, Device reference, Consumer<Result> listener) {
    return run(device, reference, cases(), listener);
  }

  /** Runs some cases. */
  public static Report run(
      Device device, Device reference, List<Case> cases, Consumer<Result> listener) {
    if (!device.isGuarded()) {
      throw new IllegalArgumentException(
          "open the device " + device.description().id() + " with guard zones");
    }
    Conformance conformance = new Conformance(device, reference);
    List<Result> results = new ArrayList<>();
    for (Case tested : cases) {
      Result result = conformance.run(tested);
      results.add(result);
      listener.accept(result);
    }
    return new Report(device.description(), results);
  }

  /**
   * Runs some cases on several devices of a kind, each opened and closed by a thread of its own:
   * where kernels are compiled anew most of the time is the compiler's, which uses one processor
   * for each device.
   *
   * @param listener hears of each result, one at a time
   */
  public static Report run(
      Supplier<Device> device,
      Supplier<Device> reference,
      int devices,
      List<Case> cases,
      Consumer<Result> listener) {
    Result[] results = new Result[cases.size()];
    AtomicInteger next = new AtomicInteger();
    Callable<DeviceDescription> worker =
        () -> {
          try (Device opened = device.get();
              Device right = reference.get()) {
            for (int from; (from = next.getAndAdd(CASES_AT_ONCE)) < results.length; ) {
              int to = Math.min(from + CASES_AT_ONCE, results.length);
              Report report =
                  run(
                      opened,
                      right,
                      cases.subList(from, to),
                      result -> {
                        synchronized (results) {
                          listener.accept(result);
                        }
                      });
              for (int i = from; i < to; i++) {
                results[i] = report.results().get(i - from);
              }
            }
            return opened.description();
          }
        };
    try (ExecutorService executor = Executors.newFixedThreadPool(devices)) {
      DeviceDescription description = null;
      for (Future<DeviceDescription> ended :
          executor.invokeAll(Collections.nCopies(devices, worker))) {
        description = ended.get();
      }
      return new Report(Objects.requireNonNull(description), Arrays.asList(results));
    } catch (ExecutionException e) {
      throw new IllegalStateException(e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
  }

  /**
   * Makes a case ready, in its parts and as it is, and runs its steps, whatever comes of them: for
   * devices that only compile. What the device refuses is left out.
   */
  public static void compile(Device device, Case tested) {
    for (boolean inParts : new boolean[] {true, false}) {
      try {
        Execution.run(device, tested.build(inParts), tested.events());
      } catch (UnsupportedException e) {
        // It will be refused where it is tested, too.
      }
    }
  }

  private Result run(Case tested) {
    Scene parts = tested.build(true);
    Map<String, List<float[]>> expected = Execution.run(reference, parts, tested.events());
    double limit = tested.limit() + RoundingError.of(parts, tested, device, expected);
    boolean isFused = !parts.fused().isEmpty();
    boolean isTaken = isFused && parts.fused().stream().allMatch(device::takes);
    double error = Double.NaN;
    String stage = isFused ? "its parts: " : "";
    boolean partsRun = false;
    try {
      Map<String, List<float[]>> actual = Execution.run(device, parts, tested.events());
      partsRun = true;
      error = Errors.worst(expected, actual);
      if (!(error <= limit)) {
        return new Result(tested, Status.FAILED, error, limit, stage + "the result is wrong");
      }
      if (!isFused) {
        return new Result(tested, Status.PASSED, error, limit, "");
      }
      if (!isTaken) {
        return new Result(tested, Status.PASSED_IN_PARTS, error, limit, "");
      }
      stage = "fused: ";
      Map<String, List<float[]>> fused =
          Execution.run(device, tested.build(false), tested.events());
      error = Math.max(error, Errors.worst(expected, fused));
      if (!(error <= limit)) {
        return new Result(tested, Status.FAILED, error, limit, stage + "the result is wrong");
      }
      // Where operands may be rounded, each is off by roundings of its own, whose variances add up.
      double allowed = limit > Case.UNROUNDED ? 2 * limit : limit;
      double difference = Errors.worst(actual, fused);
      return difference <= allowed
          ? new Result(tested, Status.PASSED, error, limit, "")
          : new Result(tested, Status.FAILED, difference, allowed, "fused and its parts differ");
    } catch (UnsupportedException e) {
      // A device that takes an operation and runs its parts has no excuse left.
      Status status = isTaken && partsRun ? Status.FAILED : Status.REFUSED;
      return new Result(tested, status, Double.NaN, limit, stage + e.getMessage());
    } catch (RuntimeException e) {
      return new Result(tested, Status.FAILED, error, limit, stage + e);
    }
  }
}
