package dev.kancil.engine;

/** Why a run ended. */
public enum RunEnd {
  /** The listener wanted no more. */
  STOPPED,
  /** As many tokens as were asked for, or as the context holds. */
  LENGTH,
  /** It was cancelled, or the engine closed. */
  CANCELLED,
  /** The device failed, or its memory for sequences ran out. */
  FAILED
}
