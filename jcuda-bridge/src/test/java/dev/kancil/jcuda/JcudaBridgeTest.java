package dev.kancil.jcuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.kancil.backend.cuda.CudaQueue;
import java.lang.reflect.Field;
import java.util.ArrayList;
import java.util.List;
import jcuda.NativePointerObject;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUstream;
import org.junit.jupiter.api.Test;

/** What passes between JCuda's objects and Kancil; it needs neither a GPU nor JCuda's natives. */
class JcudaBridgeTest {
  private static final long ADDRESS = 0x7f12_3456_7800L;

  /** As JCuda's natives fill an object in. */
  private static <T extends NativePointerObject> T holding(T object, long value) throws Exception {
    Field field = NativePointerObject.class.getDeclaredField("nativePointer");
    field.setAccessible(true);
    field.setLong(object, value);
    return object;
  }

  @Test
  void pointersKeepTheirAddressBothWays() throws Exception {
    CUdeviceptr theirs = holding(new CUdeviceptr(), ADDRESS);
    assertThat(JcudaBridge.address(theirs)).isEqualTo(ADDRESS);
    assertThat(JcudaBridge.address(theirs.withByteOffset(256))).isEqualTo(ADDRESS + 256);
    CUdeviceptr ours = JcudaBridge.pointer(ADDRESS);
    assertThat(JcudaBridge.address(ours)).isEqualTo(ADDRESS);
    assertThat(JcudaBridge.address(ours.withByteOffset(-16))).isEqualTo(ADDRESS - 16);
    assertThat(JcudaBridge.address(new CUdeviceptr())).isZero();
  }

  @Test
  void contextAndStreamAreTheApplications() throws Exception {
    CUcontext context = holding(new CUcontext(), 0x55aa);
    CUstream stream = holding(new CUstream(), 0x66bb);
    assertThat(JcudaBridge.queue(context, stream)).isEqualTo(new CudaQueue(0x55aa, 0x66bb));
    assertThatThrownBy(() -> JcudaBridge.queue(context, new CUstream()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("default stream");
  }

  @Test
  void aTapGetsThePointerOfTheValue() {
    List<Long> seen = new ArrayList<>();
    var tap =
        JcudaBridge.tap(
            (value, rows, columns) ->
                seen.addAll(List.of(JcudaBridge.address(value), (long) rows, (long) columns)));
    tap.work().enqueue(ADDRESS, 1, 3, 64);
    assertThat(seen).containsExactly(ADDRESS, 3L, 64L);
  }
}
