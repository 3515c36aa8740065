"""Run a program over many parameter sets with torch, on the CPU or on a GPU.

The same lines as in `family_loops`, each over all sets of a chunk at once. This module imports
torch when it is loaded; `family_run` loads it when a device is named.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import torch

from causalbench.errors import QueryError
from causalbench.truth.family_program import (
    ADD,
    MAXIMUM,
    MINIMUM,
    MULTIPLY,
    PRODUCTS,
    ROUGH,
    SELECT,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from causalbench.truth.family import Family
    from causalbench.truth.family_program import Program

__all__ = ["torch_runner"]

_BYTES = 2**28  # of rows worked on at once


def torch_runner(device: str) -> Callable[[Program, Family], NDArray[np.float64]]:
    """Return the runner of programs on a device.

    Raises:
        QueryError: there is no such device here.
    """
    if device not in {"cpu", "cuda"}:
        raise QueryError(f"device={device!r} does not exist; choose 'cpu', 'cuda' or None.")
    if device == "cuda" and not torch.cuda.is_available():
        raise QueryError(
            "device='cuda' needs a GPU that torch can use and there is none; take device='cpu' or"
            " None, or install torch with CUDA on a machine that has one."
        )
    return partial(_run, torch.device(device))


def _run(device: torch.device, program: Program, family: Family) -> NDArray[np.float64]:
    blocks, _, width = family.numbers.shape
    step = max(1, _BYTES // (8 * width * max(1, program.height)))
    parts = [
        _chunk(device, program, family.numbers[low : low + step], family.tables[low : low + step])
        for low in range(0, blocks, step)
    ]
    return np.concatenate(parts, axis=1)[:, : len(family)]


def _chunk(
    device: torch.device,
    program: Program,
    numbers: NDArray[np.float64],
    tables: NDArray[np.int16],
) -> NDArray[np.float64]:
    """Return float64[outputs, sets] of some blocks."""
    blocks, _, width = numbers.shape
    count = blocks * width
    rows = torch.zeros((program.height, count), dtype=torch.float64, device=device)
    constants = torch.tensor(program.constants, device=device)
    rows[: len(constants)] = constants[:, None]
    if len(program.loads):
        chosen = numbers[:, program.loads[:, 1]].transpose(1, 0, 2).reshape(-1, count)
        where = torch.tensor(program.loads[:, 0], device=device)
        rows[where] = torch.tensor(chosen, device=device)
    codes = torch.tensor(tables.transpose(1, 0, 2).reshape(tables.shape[1], count), device=device)
    operands = torch.tensor(program.operands, device=device)
    for kind, out, first, second, third, at in program.code.tolist():
        if kind == SELECT:
            rows[out] = torch.where(codes[second] == third, rows[first], 0.0)
        elif kind == ADD:
            rows[out] = rows[first] + rows[second]
        elif kind == MULTIPLY:
            rows[out] = rows[first] * rows[second]
        elif kind == MINIMUM:
            rows[out] = torch.minimum(rows[first], rows[second])
        elif kind == MAXIMUM:
            rows[out] = torch.maximum(rows[first], rows[second])
        elif kind == PRODUCTS:
            cells, terms, factors = first, second, third
            taken = operands[at : at + cells * terms * factors].reshape(cells, terms, factors)
            product = rows[taken[:, :, 0]]
            for factor in range(1, factors):
                product = product * rows[taken[:, :, factor]]
            rows[out : out + cells] = product.sum(dim=1)
        else:
            width_left = rows[first] - rows[second]
            rows[out] = torch.where(width_left > ROUGH, width_left, 0.0)
    outputs = torch.tensor(program.outputs, device=device)
    answers: NDArray[np.float64] = rows[outputs].cpu().numpy()
    return answers
