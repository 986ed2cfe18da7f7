package dev.kancil.backend.cuda;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Some of each kind of kernel, as models of ordinary sizes need them. */
final class RepresentativeKernels {
  private RepresentativeKernels() {}

  record Kernel(String file, Map<String, String> defines) {
    String source() {
      return CudaKernels.source(file, defines);
    }
  }

  private static Kernel kernel(String file, String... defines) {
    Map<String, String> map = new HashMap<>();
    for (String define : defines) {
      int equals = define.indexOf('=');
      map.put(
          equals < 0 ? define : define.substring(0, equals),
          equals < 0 ? "" : define.substring(equals + 1));
    }
    return new Kernel(file, map);
  }

  private static final List<Kernel> KERNELS =
      List.of(
          kernel("element_wise.h", "ACTIVATION_SILU"),
          kernel("element_wise.h", "ACTIVATION_GELU_TANH"),
          kernel("rms_norm.h", "LANES=128"),
          kernel("layer_norm.h", "LANES=128", "WEIGHTED", "BIASED"),
          kernel("plain_products.h", "WEIGHT_Q4_K", "COLUMNS=4096"),
          kernel("plain_products.h", "WEIGHT_BF16", "COLUMNS=4096"),
          kernel("repack.h", "WEIGHT_Q5_K", "FORMAT=tile_Q5_K", "COLUMNS=4096"),
          kernel("repack.h", "WEIGHT_Q3_K", "FORMAT=tile_Q3_K", "COLUMNS=4096"),
          kernel("repack.h", "WEIGHT_IQ2_S", "FORMAT=tile_IQ2", "COLUMNS=4096"),
          kernel("tile_rows.h", "FORMAT=tile_Q6_K", "COLUMNS=4096"),
          kernel("tile_rows.h", "FORMAT=tile_NVFP4", "COLUMNS=4096"),
          kernel("mat_vec_floats.h", "WARPS=4", "COLUMNS=4096"),
          kernel("round_rows.h", "PARTS=1", "THREADS=256", "COLUMNS=4096"),
          kernel(
              "round_rows.h",
              "PARTS=8",
              "THREADS=512",
              "COLUMNS=14336",
              "NORM",
              "NORM_OF_SUM",
              "BFLOATS"),
          matVec("PARTS=2", "FORMAT_0=tile_Q4_K", "FORMAT_1=tile_Q4_K", "GLU", "ACTIVATION_SILU"),
          matVec("PARTS=3", "FORMAT_0=tile_Q4_0", "FORMAT_1=tile_Q8_0", "FORMAT_2=tile_Q6_K"),
          matVec("PARTS=2", "FORMAT_0=tile_BF16", "FORMAT_1=tile_BF16", "NORM", "NORM_OF_SUM"),
          matVec("PARTS=3", "FORMAT_0=tile_Q2_K", "FORMAT_1=tile_Q3_K", "FORMAT_2=tile_IQ4_XS"),
          matVec("PARTS=2", "FORMAT_0=tile_IQ2", "FORMAT_1=tile_IQ2", "GLU", "ACTIVATION_SILU"),
          matVec("PARTS=1", "FORMAT_0=tile_Q5_1", "EXPERTS=128"),
          matVec("PARTS=1", "FORMAT_0=tile_MXFP4", "EXPERTS=128"),
          matMul("tile_Q4_K", 256, 2, 8, 1, 1, 16),
          matMul("tile_Q8_0", 128, 2, 4, 2, 2, 8),
          matMul("tile_Q2_K", 256, 2, 8, 1, 1, 16),
          matMul("tile_IQ3_XXS", 256, 2, 8, 1, 1, 16),
          matMul("tile_IQ4_NL", 128, 2, 4, 2, 2, 8),
          matMul("tile_F16", 64, 3, 4, 2, 2, 8),
          experts(matMul("tile_Q4_K", 256, 2, 4, 1, 2, 4), "PARTS=2", "GLU", "ACTIVATION_SILU"),
          experts(matMul("tile_Q5_K", 256, 2, 8, 1, 2, 16), "PARTS=2", "GLU", "ACTIVATION_GELU"),
          experts(matMul("tile_Q6_K", 256, 2, 8, 1, 1, 16)),
          experts(matMul("tile_Q8_0", 128, 2, 8, 1, 1, 4)),
          experts(matMul("tile_F16", 64, 3, 8, 1, 1, 16)),
          kernel("moe_slots.h", "EXPERTS=128", "WARPS=32"),
          kernel("moe_slots.h", "EXPERTS=2048", "WARPS=4"),
          kernel("moe_route.h", "LANES=32", "EXPERTS=128", "SCORING_SOFTMAX"),
          kernel("moe_sum.h"),
          kernel("columns.h"),
          kernel(
              "cache_write.h",
              "KEY_F16",
              "VALUE_Q8_0",
              "KEY_COLUMNS=1024",
              "VALUE_COLUMNS=1024",
              "PAGE_TOKENS=32",
              "HEADS=32",
              "HEAD_WIDTH=128",
              "ROTARY_WIDTH=128",
              "PAIRING_HALVES",
              "VECTOR=1"),
          attention("attention_plain.h", "KEY_F16", "VALUE_F16"),
          attention("attention_split.h", "KEY_F16", "VALUE_F16", "HALVES", "MASK_IS_INTERVAL"),
          attention(
              "attention_split.h",
              "KEY_F16",
              "VALUE_F16",
              "HALVES",
              "HEAD_WIDTH=128",
              "ROTARY_WIDTH=96",
              "PAIRING_NEIGHBOURS"),
          attention("attention_split.h", "KEY_Q8_0", "VALUE_F32", "IN_TURN"),
          attention(
              "attention_tiles.h", "KEY_F16", "VALUE_F16", "TILE_ROWS=16", "MASK_IS_INTERVAL"));

  /** Those for devices of compute capability 9.0 alone. */
  private static final List<Kernel> WARPGROUP_KERNELS =
      List.of(
          kernel(
              "mat_mul_warpgroups.h",
              "TOKENS=256",
              "GROUPS=2",
              "STAGES=4",
              "COLUMNS=4096",
              "PARTS=3",
              "FORMAT_0=tile_Q4_K",
              "FORMAT_1=tile_Q4_K",
              "FORMAT_2=tile_Q6_K"),
          kernel(
              "mat_mul_warpgroups.h",
              "TOKENS=128",
              "GROUPS=2",
              "STAGES=4",
              "COLUMNS=4096",
              "PARTS=2",
              "FORMAT_0=tile_BF16",
              "FORMAT_1=tile_BF16",
              "GLU",
              "ACTIVATION_SILU"),
          experts(warpgroups("tile_Q4_K", 64), "PARTS=2", "GLU", "ACTIVATION_SILU"),
          experts(warpgroups("tile_Q6_K", 128)),
          experts(warpgroups("tile_Q8_0", 256)),
          warpgroups("tile_Q3_K", 256),
          warpgroups("tile_NVFP4", 256));

  private static Kernel warpgroups(String format, int tokens) {
    return kernel(
        "mat_mul_warpgroups.h",
        "TOKENS=" + tokens,
        "GROUPS=2",
        "STAGES=4",
        "COLUMNS=4096",
        "PARTS=1",
        "FORMAT_0=" + format);
  }

  /** The same for slots of experts. */
  private static Kernel experts(Kernel dense, String... defines) {
    Map<String, String> all = new HashMap<>(dense.defines());
    all.putAll(kernel(dense.file(), defines).defines());
    all.put("EXPERTS", "128");
    return new Kernel(dense.file(), all);
  }

  private static Kernel matVec(String... defines) {
    Kernel common = kernel("mat_vec.h", "WARPS=16", "SLOTS=3", "BLOCKS_PER_UNIT=1", "COLUMNS=4096");
    Map<String, String> all = new HashMap<>(common.defines());
    all.putAll(kernel("mat_vec.h", defines).defines());
    return new Kernel("mat_vec.h", all);
  }

  private static Kernel matMul(
      String format, int depth, int stages, int down, int across, int rowTiles, int tokenTiles) {
    return kernel(
        "mat_mul.h",
        "FORMAT_0=" + format,
        "PARTS=1",
        "COLUMNS=4096",
        "DEPTH=" + depth,
        "STAGES=" + stages,
        "WARPS_DOWN=" + down,
        "WARPS_ACROSS=" + across,
        "ROW_TILES=" + rowTiles,
        "TOKEN_TILES=" + tokenTiles);
  }

  private static Kernel attention(String file, String... defines) {
    Kernel common =
        kernel(
            file,
            "KEY_COLUMNS=1024",
            "VALUE_COLUMNS=1024",
            "PAGE_TOKENS=32",
            "HEADS=32",
            "KV_HEADS=8",
            "KEY_WIDTH=128",
            "VALUE_WIDTH=128",
            "SCALE=0.088f",
            "SEES(query, key)=((key) <= (query))",
            "FIRST_KEY(query)=0",
            "LAST_KEY(query)=(query)",
            "WARPS=4",
            "HEADS_AT_ONCE=4",
            "VALUE_PART=128",
            "PARTIAL_FLOATS=520");
    Map<String, String> all = new HashMap<>(common.defines());
    all.putAll(kernel(file, defines).defines());
    return new Kernel(file, all);
  }

  /**
   * Those that an architecture has.
   *
   * @param architecture such as {@code sm_80} or {@code compute_90a}
   */
  static List<Kernel> of(String architecture) {
    List<Kernel> kernels = new ArrayList<>(KERNELS);
    if (architecture.endsWith("_90a")) {
      kernels.addAll(WARPGROUP_KERNELS);
    }
    return kernels;
  }
}
