package dev.kancil.conformance;

import dev.kancil.backend.DeviceDescription;
import java.util.List;

/**
 * What a device did with every case.
 *
 * @param device the device
 * @param results one for each case, in order
 */
public record Report(DeviceDescription device, List<Result> results) {
  public Report {
    results = List.copyOf(results);
  }

  /** The cases that ended so. */
  public List<Result> with(Result.Status status) {
    return results.stream().filter(result -> result.status() == status).toList();
  }

  public List<Result> failures() {
    return with(Result.Status.FAILED);
  }

  public List<Result> refusals() {
    return with(Result.Status.REFUSED);
  }
}
