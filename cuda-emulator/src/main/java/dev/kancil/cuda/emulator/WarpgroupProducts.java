package dev.kancil.cuda.emulator;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The products of a warpgroup that a warp has begun and not waited for, and the registers that they
 * use. A register is known by its place among {@link Kernel#productRows}.
 *
 * <p>A product is computed when it begins. Until the warp has waited for it its sums are kept here,
 * and their registers hold poison; when it has waited, nothing that the product reads may have
 * changed.
 */
final class WarpgroupProducts {
  private static final int MAX_PENDING = 256;

  /** A product that was begun. */
  static final class Pending {
    private final WarpgroupProduct product;
    private final WarpgroupProduct.Sources sources;

    /** How many groups were committed before. */
    private final int group;

    private Pending(WarpgroupProduct product, WarpgroupProduct.Sources sources, int group) {
      this.product = product;
      this.sources = sources;
      this.group = group;
    }
  }

  private final int[] rows;

  /** What the registers held at the last {@code wgmma.fence}. */
  private final int[][] fenced;

  private final int[][] sums;

  /** How many products that are under way add to a register. */
  private final int[] users;

  private final List<Pending> pending = new ArrayList<>();
  private boolean hasFenced;
  private int committed;

  WarpgroupProducts(int[] rows) {
    this.rows = rows;
    fenced = new int[rows.length][Warp.LANES];
    sums = new int[rows.length][Warp.LANES];
    users = new int[rows.length];
  }

  /** Another block begins; what nobody waited for is forgotten. */
  void start() {
    pending.clear();
    Arrays.fill(users, 0);
    hasFenced = false;
    committed = 0;
  }

  /** The sums that a register will hold, while products that add to it are under way. */
  int[] sums(int register) {
    return sums[register];
  }

  /** What a register's lanes hold. */
  int[] row(Warp warp, int register) {
    return warp.ints[rows[register]];
  }

  /** The register is read by a product that begins. */
  int[] read(Warp warp, int register, WarpgroupProduct product) {
    int[] row = row(warp, register);
    if (!hasFenced || !Arrays.equals(row, fenced[register])) {
      throw fault(
          warp,
          product,
          hasFenced
              ? "a register has changed since the last wgmma.fence"
              : "there is no wgmma.fence before it");
    }
    return row;
  }

  /** A product that begins will add to some registers. */
  void begin(Warp warp, int[] targets, WarpgroupProduct product, WarpgroupProduct.Sources sources) {
    if (pending.size() >= MAX_PENDING) {
      throw fault(
          warp, product, MAX_PENDING + " products have begun, and nobody has waited for them");
    }
    for (int register : targets) {
      if (users[register]++ == 0) {
        int[] row = read(warp, register, product);
        System.arraycopy(row, 0, sums[register], 0, Warp.LANES);
        Arrays.fill(row, Warp.POISON);
      }
    }
    pending.add(new Pending(product, sources, committed));
  }

  private void wait(Warp warp, int kept) {
    int finished = 0;
    while (finished < pending.size() && pending.get(finished).group < committed - kept) {
      finish(warp, pending.get(finished++));
    }
    pending.subList(0, finished).clear();
  }

  private void finish(Warp warp, Pending begun) {
    begun.product.checkUnchanged(warp, begun.sources);
    for (int register : begun.product.targets()) {
      if (--users[register] == 0) {
        int[] row = row(warp, register);
        for (int bits : row) {
          if (bits != Warp.POISON) {
            throw fault(warp, begun.product, "a sum was written before the warp waited for it");
          }
        }
        System.arraycopy(sums[register], 0, row, 0, Warp.LANES);
        System.arraycopy(sums[register], 0, fenced[register], 0, Warp.LANES);
      }
    }
  }

  static KernelFault fault(Warp warp, Instruction instruction, String message) {
    return warp.block.fault(CudaError.LAUNCH_FAILED, instruction, warp, 0, message);
  }

  private static boolean meets(Warp warp, int mask, Instruction instruction) {
    if (!warp.gatherAll(mask, instruction)) {
      return false;
    }
    warp.block.warpgroup(warp).run(warp, new Warpgroup.Step(instruction, 0, 0, 0));
    return true;
  }

  /** {@code wgmma.fence}. */
  static final class Fence extends Instruction {
    @Override
    void run(Warp warp, int mask) {
      if (meets(warp, mask, this)) {
        WarpgroupProducts products = warp.products;
        for (int i = 0; i < products.rows.length; i++) {
          System.arraycopy(products.row(warp, i), 0, products.fenced[i], 0, Warp.LANES);
        }
        products.hasFenced = true;
      }
    }
  }

  /** {@code wgmma.commit_group}. */
  static final class Commit extends Instruction {
    @Override
    void run(Warp warp, int mask) {
      if (meets(warp, mask, this)) {
        warp.products.committed++;
      }
    }
  }

  /** {@code wgmma.wait_group}. */
  static final class Wait extends Instruction {
    private final int kept;

    /**
     * @param kept how many of the latest groups may be under way
     */
    Wait(int kept) {
      this.kept = kept;
    }

    @Override
    void run(Warp warp, int mask) {
      if (meets(warp, mask, this)) {
        warp.products.wait(warp, kept);
      }
    }
  }
}
