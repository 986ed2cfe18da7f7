/** Thin bindings to native libraries; no policy. */
module dev.kancil.bindings {
  requires transitive org.jspecify;

  exports dev.kancil.bindings.cuda;
}
