"""Names that mean nothing, so that no agent can bring knowledge of the world to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from causalbench.rng import permutation

if TYPE_CHECKING:
    import numpy as np

__all__ = ["NAMES", "pick_names"]

_TEXT = """
kelm dorp vash trin bolu femp garn hesk jolm krad lurn meft nolp prin quam resk
sorl tuv ulm vond wark yelt zorb brem clud drin elsk fonk glim hurd isk jarn
kolb lemp mosk nurl olf plen rond skel tarf urd vilm wolb yarl zent arlo besk
crom dalf erm frin gosk hilm jund kesk lorf menk nask orlin pesk rulm sant
tolk uven varl wesk yorm zilk ambo bralt chul dulk efol ganth hobr irst jeln
"""
NAMES: tuple[str, ...] = tuple(_TEXT.split())


def pick_names(rng: np.random.Generator, count: int) -> tuple[str, ...]:
    """Draw that many different names.

    Args:
        rng: draws them.
        count: at most the number of names there are.
    """
    return tuple(NAMES[int(place)] for place in permutation(rng, len(NAMES))[:count])
