package dev.kancil.cuda.emulator;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Special registers that do not change while a block runs. */
enum Special {
  TID_X,
  TID_Y,
  TID_Z,
  NTID_X,
  NTID_Y,
  NTID_Z,
  CTAID_X,
  CTAID_Y,
  CTAID_Z,
  NCTAID_X,
  NCTAID_Y,
  NCTAID_Z,
  LANEID,
  WARPID,
  NWARPID,
  SMID,
  NSMID,
  GRIDID,
  LANEMASK_EQ,
  LANEMASK_LT,
  LANEMASK_LE,
  LANEMASK_GT,
  LANEMASK_GE,
  DYNAMIC_SMEM_SIZE,
  TOTAL_SMEM_SIZE;

  private static final Special[] VALUES = values();

  static @Nullable Special named(String name) {
    for (Special special : VALUES) {
      if (special.text().equals(name)) {
        return special;
      }
    }
    return null;
  }

  private String text() {
    String lower = name().toLowerCase(Locale.ROOT);
    boolean isVector = lower.length() > 2 && lower.matches("n?(cta|t)id_[xyz]");
    return "%" + (isVector ? lower.replace('_', '.') : lower);
  }

  /** Its value in a lane of a warp. */
  int value(Block block, int warp, int lane) {
    int thread = warp * Warp.LANES + lane;
    Launch launch = block.launch;
    return switch (this) {
      case TID_X -> thread % launch.blockX();
      case TID_Y -> thread / launch.blockX() % launch.blockY();
      case TID_Z -> thread / launch.blockX() / launch.blockY();
      case NTID_X -> launch.blockX();
      case NTID_Y -> launch.blockY();
      case NTID_Z -> launch.blockZ();
      case CTAID_X -> block.x();
      case CTAID_Y -> block.y();
      case CTAID_Z -> block.z();
      case NCTAID_X -> launch.gridX();
      case NCTAID_Y -> launch.gridY();
      case NCTAID_Z -> launch.gridZ();
      case LANEID -> lane;
      case WARPID -> warp;
      case NWARPID -> launch.warps();
      case SMID, GRIDID -> 0;
      case NSMID -> 1;
      case LANEMASK_EQ -> 1 << lane;
      case LANEMASK_LT -> (1 << lane) - 1;
      case LANEMASK_LE -> (2 << lane) - 1;
      case LANEMASK_GT -> -(2 << lane);
      case LANEMASK_GE -> -(1 << lane);
      case DYNAMIC_SMEM_SIZE -> launch.dynamicSharedBytes();
      case TOTAL_SMEM_SIZE -> launch.sharedBytes();
    };
  }
}
