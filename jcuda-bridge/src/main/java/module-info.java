/** What applications that use JCuda share with Kancil's CUDA backend. */
module dev.kancil.jcuda {
  requires transitive dev.kancil.core;
  requires transitive dev.kancil.cuda;
  requires jcuda;

  exports dev.kancil.jcuda;
}
