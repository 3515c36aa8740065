"""Train an agent once a repeat, and keep what it learnt as a checkpoint."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Any

from causalbench.agent.protocol import Clock
from causalbench.errors import AgentError, LogError, MissingExtraError
from causalbench.run.play import failure
from causalbench.run.seeds import train_rng

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["train"]


def train(factory: Callable[[], Any], suite: Any, agent_seed: int, checkpoint: Path) -> str:
    """Train a fresh agent on the suite's practice worlds and save it, unless that was done.

    The checkpoint is saved beside its place and moved there whole, so that a run killed in the
    middle never leaves half of one.

    Args:
        factory: gives a fresh agent.
        suite: whose practice worlds (none of them in the suite) it learns from.
        agent_seed: of this repeat; it draws the practice worlds too.
        checkpoint: the folder to save to.

    Returns:
        "" where it went well, else the traceback of what the agent raised.

    Raises:
        LogError: the checkpoint can't be moved to its place.
        MissingExtraError: the agent needs a package that isn't installed.
    """
    if checkpoint.exists():
        return ""
    draft = checkpoint.with_name(f"{checkpoint.name}.{os.getpid()}.tmp")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    try:
        agent = factory()
        agent.train(suite.practice(agent_seed), rng=train_rng(agent_seed), clock=Clock())
        agent.save(draft)
        if not any(draft.iterdir()):
            msg = "save(path) left nothing in the folder; write the checkpoint there."
            raise AgentError(msg)  # noqa: TRY301  (an agent's failure like any other)
    except MissingExtraError:
        raise
    except (Exception, SystemExit) as error:  # noqa: BLE001  (an agent may raise anything)
        shutil.rmtree(draft, ignore_errors=True)
        return failure(error)
    try:
        draft.replace(checkpoint)
    except OSError as error:
        msg = f"checkpoint '{checkpoint}' can't be kept: {error.strerror}; free or mend the disk."
        raise LogError(msg) from error
    return ""
