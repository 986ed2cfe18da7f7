#!/usr/bin/env python3
"""Writes testdata/blocks: random blocks of every format with the values that PyPI's gguf decodes.

Needs: pip install gguf numpy. Run from the repository's root. For each type a file TYPE.gz:
an int32 count of elements, the blocks, then the decoded float32 values, all little-endian.
"""
import gzip
import pathlib
import struct

import gguf
import numpy as np
from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType as T

# Where the half-precision scales and minima of a block lie.
HALVES = {
    T.Q4_0: [0], T.Q4_1: [0, 2], T.Q5_0: [0], T.Q5_1: [0, 2], T.Q8_0: [0],
    T.Q2_K: [80, 82], T.Q3_K: [108], T.Q4_K: [0, 2], T.Q5_K: [0, 2], T.Q6_K: [208],
    T.IQ4_NL: [0], T.IQ4_XS: [0],
    T.IQ1_S: [0], T.IQ2_XXS: [0], T.IQ2_XS: [0], T.IQ2_S: [0], T.IQ3_XXS: [0], T.IQ3_S: [0],
    T.TQ1_0: [52], T.TQ2_0: [64],
}
# Of these fewer blocks do.
RARE = [T.IQ1_S, T.IQ1_M, T.IQ2_XXS, T.IQ2_XS, T.IQ2_S, T.IQ3_XXS, T.IQ3_S, T.TQ1_0, T.TQ2_0]
# Zeros, ones, the smallest and largest subnormal, the smallest normal and the largest half: of both signs.
ODD = np.array([0x0000, 0x3C00, 0x0001, 0x03FF, 0x0400, 0x7BFF], np.uint16)
ODD = np.concatenate([ODD, ODD | 0x8000])


def blocks(kind, random):
    elements, size = GGML_QUANT_SIZES[kind]
    count = {32: 96, 64: 32, 256: 24}[elements] if kind not in RARE else 14
    data = random.integers(0, 256, (count, size), np.uint8)
    for number, at in enumerate(HALVES.get(kind, [])):
        scales = random.normal(0, 0.05, count).astype(np.float16).view(np.uint16)
        order = np.roll(ODD, number)
        scales[: len(order)] = order
        data[:, at : at + 2] = scales.astype("<u2").view(np.uint8).reshape(count, 2)
    if kind == T.MXFP4:
        # All exponents that give finite values, the smallest and the largest first.
        data[:, 0] = random.integers(100, 150, count)
        data[:8, 0] = [0, 1, 2, 3, 127, 128, 251, 252]
    if kind == T.IQ1_M:
        # The scale's bits lie in the highest four of four numbers.
        packed = data[:, 48:].copy().view("<u2")
        scales = np.concatenate([ODD, random.normal(0, 0.05, count).astype(np.float16).view(np.uint16)])
        for number in range(4):
            packed[:, number] = packed[:, number] & 0xFFF | (scales[:count] >> 4 * number & 15) << 12
        data[:, 48:] = packed.view(np.uint8)
    if kind == T.NVFP4:
        # All scales, those included that are no numbers.
        data[:, :4] = np.arange(4 * count).reshape(count, 4)
    return data


def halves(kind, random):
    values = random.integers(0, 1 << 16, 1536).astype(np.uint16)
    exponent = 0x7C00 if kind == T.F16 else 0x7F80
    values[: len(ODD)] = ODD
    values = values[(values & exponent) != exponent]  # NaN has no one bit pattern; tests have their own.
    return values.astype("<u2").view(np.uint8)


def main():
    folder = pathlib.Path("testdata/blocks")
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(20261101)
    kinds = [T.F16, T.BF16, T.Q4_0, T.Q4_1, T.Q5_0, T.Q5_1, T.Q8_0, T.Q2_K, T.Q3_K, T.Q4_K,
             T.Q5_K, T.Q6_K, T.IQ4_NL, T.IQ4_XS, T.MXFP4, T.NVFP4] + RARE
    for kind in kinds:
        data = halves(kind, random) if kind in (T.F16, T.BF16) else blocks(kind, random)
        with np.errstate(all="ignore"):
            values = gguf.quants.dequantize(data, kind).astype("<f4").reshape(-1)
        payload = struct.pack("<i", values.size) + data.tobytes() + values.tobytes()
        path = folder / f"{kind.name}.gz"
        path.write_bytes(gzip.compress(payload, 9, mtime=0))
        print(f"{kind.name}: {values.size} values, {path.stat().st_size} bytes, "
              f"finite: {bool(np.isfinite(values).all())}")
    print("gguf", __import__("importlib.metadata").metadata.version("gguf"))


main()
