package dev.kancil;

import dev.kancil.backend.Backends;
import dev.kancil.backend.DeviceOptions;
import dev.kancil.backend.LoadProgress;
import dev.kancil.tensor.DataType;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;

/**
 * How a model is opened.
 *
 * @param device {@code auto}, or what {@code kancil devices} lists
 * @param threads worker threads of a CPU device; 0: one for each processor
 * @param contextLength tokens that one session can hold; 0: what the model was made for, at most
 *     {@value #DEFAULT_CONTEXT}
 * @param sessions sessions that can be open at the same time; each adds room for its context to the
 *     cache, which takes memory only as it is used
 * @param cacheKeyType how keys are cached: F32, F16, BF16, Q8_0 or F8_E4M3; the last one, which has
 *     no scales, holds no number beyond ±448, and larger ones, as keys of some models are, become
 *     that
 * @param cacheValueType the same for values
 * @param stepTokens rows of one step; long prompts are cut into such chunks; 0: as the device
 *     prefers
 * @param gpuLayers how many of a model's layers run on the device, the last ones and what follows
 *     them, while the CPU runs the others; more than there are are all; 0: the CPU runs the model;
 *     {@link #ALL_LAYERS}; or {@link #AUTO_LAYERS}
 * @param adapters what changes the model's weights, in this order, for all sessions
 * @param namedAdapters what sessions can be started with, by names of the caller's choice: all of
 *     some adapters. They stand beside the weights, which stay as they lie
 * @param progress is told how far a device is with what it does before the first step
 */
public record ModelOptions(
    String device,
    int threads,
    int contextLength,
    int sessions,
    DataType cacheKeyType,
    DataType cacheValueType,
    int stepTokens,
    int gpuLayers,
    List<LoraAdapter> adapters,
    SequencedMap<String, List<LoraAdapter>> namedAdapters,
    LoadProgress progress) {
  /** The longest context unless one is asked for. */
  public static final int DEFAULT_CONTEXT = 8192;

  /** The whole model on the device, or an error if it doesn't fit. */
  public static final int ALL_LAYERS = Integer.MAX_VALUE;

  /** As many layers as the device has memory for. */
  public static final int AUTO_LAYERS = -1;

  /** The best device, all processors, a cache in float16. */
  public static final ModelOptions DEFAULT = builder().build();

  public ModelOptions {
    adapters = List.copyOf(adapters);
    SequencedMap<String, List<LoraAdapter>> named = new LinkedHashMap<>();
    namedAdapters.forEach((name, parts) -> named.put(name, List.copyOf(parts)));
    namedAdapters = Collections.unmodifiableSequencedMap(named);
    require(threads >= 0 && threads <= DeviceOptions.MAX_THREADS, "threads", threads);
    require(contextLength >= 0 && contextLength <= 1 << 24, "context length", contextLength);
    require(sessions >= 1 && sessions <= 1024, "sessions", sessions);
    require(
        stepTokens == 0 || stepTokens >= sessions && stepTokens <= 1 << 16,
        "step tokens",
        stepTokens);
    require(gpuLayers >= 0 || gpuLayers == AUTO_LAYERS, "gpu layers", gpuLayers);
    for (DataType type : new DataType[] {cacheKeyType, cacheValueType}) {
      switch (type) {
        case F32, F16, BF16, F8_E4M3, Q8_0 -> {}
        default ->
            throw new InvalidRequestException(
                "cache type " + type + "; there are f32, f16, bf16, f8_e4m3 and q8_0");
      }
    }
  }

  /**
   * Rows of one step on a device.
   *
   * @param preferred by the device
   * @param context of one session
   */
  int stepTokensFor(int preferred, int context) {
    return stepTokens > 0 ? stepTokens : Math.max(sessions, Math.min(preferred, context));
  }

  /**
   * The tokens of context that one session of a model gets.
   *
   * @param trained what the model was made for
   * @throws InvalidRequestException if more is asked for
   */
  public int contextLengthFor(int trained) {
    if (contextLength > trained) {
      throw new InvalidRequestException(
          "context length %d is asked for, but the model was made for %d"
              .formatted(contextLength, trained));
    }
    return contextLength > 0 ? contextLength : Math.min(trained, DEFAULT_CONTEXT);
  }

  /** As {@link Placement#leavesDeviceOpen}. */
  boolean leavesDeviceOpen() {
    return Placement.leavesDeviceOpen(device, gpuLayers);
  }

  private static void require(boolean holds, String what, int value) {
    if (!holds) {
      throw new InvalidRequestException(what + " " + value + " is out of range");
    }
  }

  /** A builder that starts with the defaults. */
  public static Builder builder() {
    return new Builder();
  }

  /** Collects options; anything not set keeps its default. */
  public static final class Builder {
    private String device = Backends.AUTO;
    private int threads;
    private int contextLength;
    private int sessions = 4;
    private DataType cacheKeyType = DataType.F16;
    private DataType cacheValueType = DataType.F16;
    private int stepTokens;
    private int gpuLayers = ALL_LAYERS;
    private List<LoraAdapter> adapters = List.of();
    private final SequencedMap<String, List<LoraAdapter>> namedAdapters = new LinkedHashMap<>();
    private LoadProgress progress = LoadProgress.NONE;

    private Builder() {}

    /** See {@link ModelOptions#device}. */
    public Builder device(String id) {
      device = id;
      return this;
    }

    /** See {@link ModelOptions#threads}. */
    public Builder threads(int count) {
      threads = count;
      return this;
    }

    /** See {@link ModelOptions#contextLength}. */
    public Builder contextLength(int tokens) {
      contextLength = tokens;
      return this;
    }

    /** See {@link ModelOptions#sessions}. */
    public Builder sessions(int count) {
      sessions = count;
      return this;
    }

    /** How keys are cached. */
    public Builder cacheKeyType(DataType type) {
      cacheKeyType = type;
      return this;
    }

    /** How values are cached. */
    public Builder cacheValueType(DataType type) {
      cacheValueType = type;
      return this;
    }

    /** See {@link ModelOptions#gpuLayers}. */
    public Builder gpuLayers(int count) {
      gpuLayers = count;
      return this;
    }

    /** See {@link ModelOptions#stepTokens}. */
    public Builder stepTokens(int rows) {
      stepTokens = rows;
      return this;
    }

    /** See {@link ModelOptions#adapters}. */
    public Builder adapters(List<LoraAdapter> inOrder) {
      adapters = List.copyOf(inOrder);
      return this;
    }

    /**
     * Adds to {@link ModelOptions#namedAdapters}.
     *
     * @param name what {@link Model#session(String)} calls it
     * @param parts one, or several that are added up
     */
    public Builder adapter(String name, LoraAdapter... parts) {
      if (parts.length == 0 || namedAdapters.putIfAbsent(name, List.of(parts)) != null) {
        throw new InvalidRequestException(
            "the adapter " + name + (parts.length == 0 ? " has no parts" : " is there twice"));
      }
      return this;
    }

    /** See {@link ModelOptions#progress}. */
    public Builder progress(LoadProgress listener) {
      progress = listener;
      return this;
    }

    /**
     * The options.
     *
     * @throws InvalidRequestException naming the option that is out of range
     */
    public ModelOptions build() {
      return new ModelOptions(
          device,
          threads,
          contextLength,
          sessions,
          cacheKeyType,
          cacheValueType,
          stepTokens,
          gpuLayers,
          adapters,
          namedAdapters,
          progress);
    }
  }
}
