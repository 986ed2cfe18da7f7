/**
 * A CUDA driver in Java that interprets PTX, so that CUDA host code and kernels run, and are
 * checked, on machines without a GPU.
 *
 * <h2>Use</h2>
 *
 * <pre>{@code
 * try (EmulatedDriver driver = new EmulatedDriver()) {     // a CudaDriver like the system's
 *   driver.makeCurrent(driver.retainContext(0));
 *   long module = driver.loadModule(ptx);                  // what NVRTC made, with its final zero
 *   long x = driver.allocate(1024);
 *   KernelArguments arguments = new KernelArguments(arena, List.of(JAVA_LONG));
 *   arguments.set(0, x);
 *   driver.launch(driver.function(module, "scale"), 1, 1, 1, 256, 1, 1, 0, 0, arguments);
 *   driver.synchronize(0);                                 // a kernel's error is thrown here
 * }
 * }</pre>
 *
 * <p>Compile with {@code -lineinfo}, and errors name lines of the source. {@link
 * dev.kancil.cuda.emulator.EmulatedDevice} chooses the compute capability, the memory, the number
 * of workers, the race check and the limit for endless kernels.
 *
 * <h2>What it finds</h2>
 *
 * A kernel that does one of these is stopped; the context is lost, as on a GPU, and the next call
 * that waits, and every later one, throws the error with kernel, instruction, PTX and source line,
 * block and thread:
 *
 * <ul>
 *   <li>an access outside of an allocation, with what lies nearest; into freed memory; into
 *       constant memory or parameters; one that is not aligned to its size ({@code
 *       ILLEGAL_ADDRESS}, {@code MISALIGNED_ADDRESS}). Allocations have gaps between them, and
 *       addresses are never used twice;
 *   <li>a data race in shared memory: two threads touch the same bytes, one writes, and neither a
 *       barrier of both nor, within a warp, {@code __syncwarp} lies between, nor an mbarrier at
 *       which the one arrived and whose phase's end the other has seen; threads that write the same
 *       value race, too. Shuffles, votes, fences and flags that threads wait for order nothing
 *       here. An asynchronous copy is a write of its thread both when it begins and when the thread
 *       has waited for it; a bulk copy writes until the phase of its mbarrier ends, for each thread
 *       that has not seen that. Where many warps read, a race may be missed in kernels without
 *       mbarriers;
 *   <li>an mbarrier that is used before {@code mbarrier.init} or behind {@code inval}, or that
 *       something else was written over; more arrivals or bytes than it counts; a state or parity
 *       that is none; a bulk copy that completes on one which nothing has published;
 *   <li>a wait for an mbarrier that never ends, since all threads that are left wait; what each of
 *       the mbarriers lacks is told;
 *   <li>bulk copies of odd places or sizes; of which shared memory changes before it was waited
 *       for; that nobody has waited for when the block ends;
 *   <li>a matrix instruction that not all 32 lanes of a warp run; one of a warpgroup that not all
 *       four warps run, in the same order and with the same descriptors;
 *   <li>a product of a warpgroup whose registers were touched since the last {@code wgmma.fence};
 *       of which a sum is written, or a register or shared memory that it reads changes, before the
 *       warp has waited; for which what it reads in shared memory was not published by {@code
 *       fence.proxy.async}, of the writers or of the readers, behind the write (where races are
 *       checked; one lane's fence counts for its warp);
 *   <li>a barrier that some threads have left or that threads reach in different places; a shuffle,
 *       vote, match or reduction whose lanes never come or are not in their own mask;
 *   <li>a launch that never ends ({@code LAUNCH_TIMEOUT}).
 * </ul>
 *
 * Memory, shared memory, local memory and registers that nobody has written hold NaNs of every
 * width (0x7fff in each half word), and so do what a shuffle reads from a lane that is not there
 * and the target of an asynchronous copy, and the sums of a warpgroup's product, until somebody
 * waits. What bulk copies bring comes as late as it can: when a thread asks for the second time,
 * and only then. The driver refuses what the real one refuses: calls without a current context,
 * handles that are none, launches beyond the limits; and, what the real one does not notice,
 * arguments of the wrong size.
 *
 * <p>It does not find races in global memory, nor missing synchronisation between streams, nor a
 * kernel that starts early and does not wait: it starts when the one before has ended.
 *
 * <h2>What it runs</h2>
 *
 * PTX of compute capability 7.5 and later, of {@code sm_90a} where the device is of 9.0, all that
 * NVRTC makes of ordinary kernels, and what kernels for tensor cores write by hand:
 *
 * <ul>
 *   <li>directives: kernels, functions (each call becomes part of the kernel; no recursion, no
 *       pointers to functions), parameters, registers, {@code .shared} of fixed and of the launch's
 *       size, {@code .local}, {@code .global} and {@code .const} with initial values, {@code
 *       .branchtargets}, launch bounds, {@code .loc};
 *   <li>integers of 16, 32 and 64 bits: {@code add sub mul mad mul24 mad24 div rem min max abs neg
 *       sad dp4a dp2a and or xor not cnot shl shr shf lop3 popc clz brev bfe bfi bfind prmt};
 *   <li>numbers of 32 and 64 bits: {@code add sub mul fma mad div rcp sqrt rsqrt ex2 lg2 sin cos
 *       tanh min max abs neg copysign testp}, with all roundings for 32 bits, {@code .ftz} and
 *       {@code .sat}; f16, bf16 and pairs of them: {@code add sub mul fma min max abs neg ex2
 *       tanh};
 *   <li>{@code setp set selp slct}; {@code cvt} between all of these, with rounding and saturation;
 *       {@code mov} with packing, {@code cvta}, {@code isspacep};
 *   <li>{@code ld st} in all spaces, vectors, all cache hints; {@code atom red} with all scopes;
 *       {@code prefetch}, {@code createpolicy}, {@code cp.async.bulk.prefetch.L2}, which only check
 *       their operands;
 *   <li>{@code mma} of 16 × 8 × 8 and 16 × 8 × 16 f16 and bf16 with f32 sums, of 8 × 8 × 16, 16 × 8
 *       × 16 and 16 × 8 × 32 bytes, signed or not; {@code ldmatrix};
 *   <li>{@code wgmma.mma_async} of 64 × n × 16 f16 and bf16 with f32 sums, for all n, with A in
 *       registers or shared memory, rows along K, all swizzles; its fence, groups and waits;
 *   <li>{@code cp.async} with its groups and waits; {@code fence.proxy.async};
 *   <li>{@code mbarrier init inval arrive arrive_drop expect_tx complete_tx test_wait try_wait
 *       pending_count}, {@code cp.async.mbarrier.arrive}, {@code fence.mbarrier_init}; {@code
 *       cp.async.bulk} of one dimension from global to shared memory and back, with its groups and
 *       waits; all within a block, which is a cluster of its own;
 *   <li>{@code shfl vote match redux activemask} and {@code bar.warp.sync}; {@code bar barrier}
 *       with numbers, counts, reductions and arrivals; {@code membar fence}; {@code bra brx ret
 *       exit trap}; {@code nanosleep} and {@code griddepcontrol} do nothing: kernels of a stream
 *       run one after the other, so that whoever waits finds all done.
 * </ul>
 *
 * Anything else is refused when the module is loaded, and so is an instruction that the text's
 * target does not have yet, by name and line ({@code INVALID_PTX}); so are cubins ({@code
 * NO_BINARY_FOR_GPU}).
 *
 * <h2>How exact it is</h2>
 *
 * Arithmetic is IEEE's, rounded once, as on a GPU, but for the bits of NaNs. What the hardware
 * approximates ({@code ex2.approx}, {@code rsqrt.approx}, {@code div.full} …) is computed in double
 * precision and rounded: it differs from a GPU's result by the error that the PTX manual allows
 * there, and tolerances of tests should leave room for it. Positions and lengths of bit fields
 * above 255 wrap around in {@code bfe} and {@code bfi} of 32 bits, as the manual says, and do not
 * in those of 64 bits, as GPUs do it; kernels should rely on neither. {@code mma} and {@code wgmma}
 * of halves multiply exactly and add in the order of the columns, each sum rounded to the nearest
 * float; a GPU adds several at once in an order of its own. Results do not depend on the number of
 * workers: blocks share nothing but global memory, and kernels with atomic operations there run
 * their blocks in order on one thread. Blocks must not wait for each other, nor lanes of a warp,
 * except at instructions that are made for it: the lane that they wait for may never run.
 *
 * <p>{@link dev.kancil.cuda.emulator.micro.MicroTests} compares each form of instruction with a
 * GPU's. On an H200 (driver 580.159.04, CUDA 13.0), 1,064 of 1,078 forms agreed at first. The other
 * 14 have been made to do what the H200 did: {@code add}, {@code sub} and {@code fma} of f32 that
 * round down, with and without {@code .ftz}, give -0 for an exact sum of zero; for {@code testp},
 * zeros are normal and not subnormal; {@code ex2.approx.ftz.bf16} only flushes what is subnormal as
 * a bf16, not all that is small enough for an f16's exponent to be zero; and {@code bfe.u64},
 * {@code bfe.s64} and {@code bfi.b64} do not wrap around, as said above. The forms of {@code wgmma}
 * came later, and agreed there, too; those of mbarriers and bulk copies came last: they assemble,
 * and no GPU has run them yet.
 *
 * <h2>How it works</h2>
 *
 * <ol>
 *   <li>{@code PtxLexer}, {@code PtxParser}, {@code PtxBody}: text becomes a {@code PtxModule} of
 *       statements, each with the scope that its names are looked up in.
 *   <li>{@code KernelDecoder} turns each statement into an {@code Instruction} whose operands are
 *       rows: 32 ints, 32 longs, or a word of 32 predicates. Constants and special registers have
 *       rows of their own, so that an operand is always a row. {@code Decoders} lists who decodes
 *       what: to add an instruction, add its mnemonic there.
 *   <li>An instruction computes all lanes of a warp in one small loop that HotSpot compiles by
 *       itself ({@code RowInstructions}, {@code IntegerOperations}, {@code FloatOperations} …).
 *   <li>{@code Warp} runs the lanes at the smallest program counter until they meet others or wait;
 *       {@code Block} lets its warps take turns; {@code Launch} gives blocks to workers.
 *   <li>{@code GlobalMemory}, {@code MemoryInstruction} and {@code RaceCheck} check each access of
 *       each lane; {@code Memory} then touches the host's memory by its address.
 *   <li>{@code Mbarriers} has what a block's mbarriers count, and the copies under way; lanes that
 *       ask one in vain let all others have their turn.
 *   <li>{@code Context} keeps handles, streams (a thread each) and the error that ended it; {@code
 *       EmulatedDriver} is the driver's interface.
 * </ol>
 */
@NullMarked
package dev.kancil.cuda.emulator;

import org.jspecify.annotations.NullMarked;
