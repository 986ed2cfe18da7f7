package dev.kancil.backend.accelerator;

import dev.kancil.tensor.DataType;
import dev.kancil.tensor.Shape;
import dev.kancil.tensor.Tensor;
import java.util.function.LongConsumer;

/** How a device's matrices lie, where its kernels want them otherwise than GGUF stores them. */
public interface MatrixLayout {
  /** As they are stored. */
  MatrixLayout AS_STORED =
      new MatrixLayout() {
        @Override
        public boolean takes(DataType type) {
          return false;
        }

        @Override
        public long bytes(DataType type, Shape shape) {
          return type.byteSize(shape.elements());
        }

        @Override
        public DeviceBuffer lay(Tensor tensor, String name, LongConsumer loaded) {
          throw new UnsupportedOperationException("matrices lie as they are stored");
        }
      };

  /** Whether matrices of a type are laid anew. */
  boolean takes(DataType type);

  /** Whether a matrix of such a type can be laid; one may have scales that are beyond it. */
  default boolean holds(Tensor tensor) {
    return true;
  }

  /** Bytes that a matrix, or matrices of experts, take where they are laid anew. */
  long bytes(DataType type, Shape shape);

  /**
   * Brings a matrix, or matrices of experts, to the device: they are there when {@link
   * DeviceMemory#finishLoads} returns.
   *
   * @param name of the weight, as errors tell it
   * @param loaded is told how many bytes of the tensor are on their way, piece by piece
   * @return the caller's to close
   */
  DeviceBuffer lay(Tensor tensor, String name, LongConsumer loaded);
}
