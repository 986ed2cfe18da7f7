package dev.kancil.backend;

import dev.kancil.graph.Graph;
import dev.kancil.graph.StateLayout;
import dev.kancil.graph.op.Fused;
import dev.kancil.tensor.DataType;
import java.util.OptionalDouble;
import java.util.OptionalLong;

/**
 * An open device. Work on it runs in the order in which it was enqueued, on a thread or queue of
 * the device's own; calls that enqueue return at once. Closing waits for what runs and frees all;
 * the programs, weights and states made from it must be closed before.
 */
public interface Device extends AutoCloseable {
  DeviceDescription description();

  /** Whether programs of this device run {@code fused} as it is; otherwise it is decomposed. */
  boolean takes(Fused fused);

  /**
   * Whether guard zones around all buffers are checked after each operation, as {@link
   * DeviceOptions#guarded} asks. A step that touched one fails with an error naming the operation.
   */
  default boolean isGuarded() {
    return false;
  }

  /**
   * How products with weights of this type round their other operand first; nothing, unless the
   * device says so.
   */
  default ActivationRounding activationRounding(DataType weightType) {
    return ActivationRounding.NONE;
  }

  /** Rows of a step up to which longer prompts run better, unless somebody asks for others. */
  default int stepTokens() {
    return 256;
  }

  /**
   * Measures how fast kernels read the device's memory, where that is what bounds decoding and can
   * be measured; takes a second, and memory that is free.
   */
  default OptionalDouble readBytesPerSecond() {
    return OptionalDouble.empty();
  }

  /** Bytes of memory of its own that nobody uses; empty where it has none, or can't tell. */
  default OptionalLong freeBytes() {
    return OptionalLong.empty();
  }

  /**
   * About what a graph takes of the device's own memory: its weights as they lie there, room for
   * steps, and for a state.
   *
   * @param graph fused for this device
   * @param sequences as {@link #createState} takes them, as are {@code tokens}
   */
  default long bytesFor(Graph graph, StepLimits limits, int sequences, int tokens) {
    return 0;
  }

  /**
   * Brings weights to the device, each when a program first needs it.
   *
   * @param source where the tensors come from; must outlive the result
   */
  DeviceWeights weights(WeightSource source);

  /**
   * Compiles a graph. Weights that several programs share are held once.
   *
   * @throws dev.kancil.UnsupportedException naming the op and type that the device can't run
   * @throws dev.kancil.DeviceException if memory doesn't suffice
   */
  Program compile(Graph graph, DeviceWeights weights, StepLimits limits);

  /**
   * Makes room for sequences.
   *
   * @param sequences how many sequences may share the room
   * @param tokens how many tokens they can hold together, however they are divided among them
   * @throws dev.kancil.DeviceException if memory doesn't suffice
   */
  SequenceState createState(StateLayout layout, int sequences, int tokens);

  @Override
  void close();
}
