/** Runs every operation, data type and shape on a device against the reference. */
module dev.kancil.conformance {
  requires transitive dev.kancil.core;

  exports dev.kancil.conformance;
}
