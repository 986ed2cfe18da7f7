#!/usr/bin/env python3
"""Writes the codebooks of GGUF's formats IQ1, IQ2 and IQ3 as PyPI's gguf has them.

Needs: pip install gguf numpy. Run from the repository's root. Each entry is a little-endian 16-bit number:
eight digits of two bits, or four of three bits, the first in the lowest bits. Codebook.java knows their order.
"""
import pathlib

import numpy as np
from gguf import quants

TARGET = pathlib.Path("core/src/main/resources/dev/kancil/tensor/codebooks.bin")


def entries(kind):
    kind.init_grid()
    size = kind.grid_shape[1]
    levels = np.array(kind.grid_map)
    digits = np.searchsorted(levels, kind.grid.reshape(kind.grid_shape)).astype(np.uint32)
    assert (levels[digits] == kind.grid.reshape(kind.grid_shape)).all()
    bits = 16 // size if size == 8 else 3
    return (digits << (bits * np.arange(size, dtype=np.uint32))).sum(axis=1).astype("<u2")


def main():
    kinds = [quants.IQ2_XXS, quants.IQ2_XS, quants.IQ2_S, quants.IQ3_XXS, quants.IQ3_S, quants.IQ1_S]
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_bytes(b"".join(entries(kind).tobytes() for kind in kinds))
    print([kind.grid_shape for kind in kinds], TARGET.stat().st_size)


main()
