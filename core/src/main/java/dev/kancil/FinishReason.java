package dev.kancil;

/** Why a generation ended. */
public enum FinishReason {
  /** The model ended its turn. */
  END_OF_TURN,
  /** A stop string appeared. */
  STOP_STRING,
  /** As many tokens as were asked for, or as the context holds. */
  LENGTH,
  /** It was cancelled, its reader was interrupted, or its session or model was closed. */
  CANCELLED
}
