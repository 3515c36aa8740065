"""A small network over windows: two hidden layers, trained by torch, read out by numpy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from causalbench.agent.learn.offline_common import Offline, one_torch_thread
from causalbench.errors import AgentError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from causalbench.agent.learn.offline_common import Steps
    from causalbench.agent.learn.window import Window
    from causalbench.truth.policy import Moment

__all__ = ["NetPolicy", "OfflineNet", "forward", "fresh", "inputs", "outputs"]

Net = tuple["NDArray[np.float32]", ...]
_LAYERS = 3


def fresh(window: Window, hidden: int, out: int, rng: np.random.Generator) -> Net:
    """Draw the weights of a network: uniform within one over the root of what a unit reads."""
    # A first-layer unit reads as many ones as there are places, however wide the vector.
    shapes = ((window.width, hidden), (hidden, hidden), (hidden, out))
    reads = (len(window.sizes), hidden, hidden)
    net: list[NDArray[np.float32]] = []
    for shape, read in zip(shapes, reads, strict=True):
        bound = 1.0 / np.sqrt(read)
        net += [rng.uniform(-bound, bound, shape).astype(np.float32)]
        net += [np.zeros(shape[1], dtype=np.float32)]
    return tuple(net)


def inputs(window: Window, states: NDArray[np.int16]) -> Any:
    """Return states as vectors of zeros and ones, a torch tensor float32[n, width].

    Args:
        window: how they are coded.
        states: int16[n, P].
    """
    import torch

    codes = torch.from_numpy(states + window.offsets)
    return torch.zeros(len(states), window.width).scatter_(1, codes, 1.0)


def forward(weights: list[Any], ones: Any) -> Any:
    """Return the outputs of a network of torch tensors, float32[n, out].

    Args:
        weights: as `fresh` gives them.
        ones: as `inputs` gives them.
    """
    import torch

    first, first_bias, second, second_bias, third, third_bias = weights
    hidden = torch.addmm(first_bias, ones, first).relu()
    hidden = torch.addmm(second_bias, hidden, second).relu()
    return torch.addmm(third_bias, hidden, third)


def outputs(net: Net, window: Window, codes: NDArray[np.int64]) -> NDArray[np.float32]:
    """Return the outputs of a network, float32[n, out]."""
    first, first_bias, second, second_bias, third, third_bias = net
    hidden = first[codes + window.offsets].sum(axis=1) + first_bias
    hidden = np.maximum(np.maximum(hidden, 0) @ second + second_bias, 0)
    return np.asarray(hidden @ third + third_bias, dtype=np.float32)


@dataclass(frozen=True, eq=False)
class NetPolicy:
    """Act by the outputs of a network.

    Args:
        window: what it sees.
        net: its weights.
        rule: ``best``, the action of the largest output (ties to the first); or ``softmax``, each
            action with the probability that the outputs give it.
    """

    window: Window
    net: Net
    rule: Literal["best", "softmax"]

    reads_reward = False

    @property
    def recalls(self) -> bool:
        """Whether it remembers more than the last observation."""
        return self.window.history > 1

    def begin(self, n: int) -> NDArray[np.int16] | None:
        """Return the memory of n copies at the start."""
        return self.window.begin(n)

    def act(self, moment: Moment, memory: Any) -> tuple[NDArray[np.float64], Any]:
        """Return the probabilities of the actions, and the memory afterwards."""
        codes, memory = self.window.codes(moment, memory)
        out = outputs(self.net, self.window, codes).astype(np.float64)
        if self.rule == "best":
            return np.eye(out.shape[1])[out.argmax(axis=1)], memory
        shares = np.exp(out - out.max(axis=1, keepdims=True))
        return shares / shares.sum(axis=1, keepdims=True), memory


class OfflineNet(Offline):
    """A learner from logs whose parameters are small networks.

    Subclasses give `_nets` (name to number of outputs) and `_losses`.

    Args:
        history: how many observations it remembers.
        updates: gradient steps at each call of `train`.
        batch: instances in each.
        hidden: units of each of the two hidden layers.
        learning_rate: of Adam, at the start of each call; falls to 0 along half a cosine.
        config: options of its own.
    """

    def __init__(
        self,
        *,
        history: int,
        updates: int,
        batch: int,
        hidden: int,
        learning_rate: float,
        config: Mapping[str, Any],
    ) -> None:
        common = {"history": history, "updates": updates, "batch": batch, "hidden": hidden}
        if min(updates, batch, hidden) < 1 or learning_rate <= 0:
            raise AgentError(
                f"{self.name} has updates {updates}, batch {batch}, hidden {hidden} and"
                f" learning_rate {learning_rate}; give at least 1 of each, and a rate above 0."
            )
        super().__init__(history, {**common, "learning_rate": learning_rate, **config})

    def _nets(self) -> dict[str, int]:
        """Return the outputs of each network that is trained."""
        raise NotImplementedError

    def _losses(
        self, steps: Steps, nets: Mapping[str, list[Any]]
    ) -> tuple[Callable[[Any, Any], Any], Callable[[int], None]]:
        """Return (instances, their states -> loss) and (update -> None), called after each update.

        Args:
            steps: the log.
            nets: name to the tensors that are trained.
        """
        raise NotImplementedError

    def _instances(self, steps: Steps) -> NDArray[np.int64]:
        """Return the instances to learn from; all of them."""
        return np.arange(len(steps))

    def _begun(self, rng: np.random.Generator) -> dict[str, NDArray[Any]]:
        return {
            f"{name}{place}": array
            for name, out in self._nets().items()
            for place, array in enumerate(fresh(self.window, self.config["hidden"], out, rng))
        }

    def _net(self, name: str) -> Net:
        """Return one network's weights."""
        return tuple(self._learnt[f"{name}{place}"] for place in range(2 * _LAYERS))

    def _fitted(self, log: Any, steps: Steps, rng: np.random.Generator) -> dict[str, NDArray[Any]]:
        import torch

        del log
        kept = {k: v for k, v in self._learnt.items() if k not in self._weights()}
        with one_torch_thread():
            nets = {
                name: [torch.tensor(array, requires_grad=True) for array in self._net(name)]
                for name in self._nets()
            }
            loss, after = self._losses(steps, nets)
            self._descend(steps, [p for net in nets.values() for p in net], loss, after, rng)
        for name, net in nets.items():
            kept |= {f"{name}{i}": p.detach().numpy().copy() for i, p in enumerate(net)}
        return kept

    def _weights(self) -> set[str]:
        return {f"{name}{place}" for name in self._nets() for place in range(2 * _LAYERS)}

    def _descend(
        self,
        steps: Steps,
        parameters: list[Any],
        loss: Callable[[Any, Any], Any],
        after: Callable[[int], None],
        rng: np.random.Generator,
    ) -> None:
        """Take the gradient steps of one call of `train`."""
        import torch

        updates, batch = self.config["updates"], self.config["batch"]
        optimiser = torch.optim.Adam(parameters, lr=self.config["learning_rate"], fused=True)
        instances = self._instances(steps)
        states = steps.states
        for update in range(updates):
            for group in optimiser.param_groups:
                share = np.cos(np.pi * update / updates)
                group["lr"] = self.config["learning_rate"] * 0.5 * (1.0 + share)
            chosen = instances[rng.integers(0, len(instances), size=batch)]
            value = loss(chosen, inputs(steps.window, states[steps.row[chosen]]))
            optimiser.zero_grad()
            value.backward()
            optimiser.step()
            after(update)
