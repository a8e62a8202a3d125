"""Which family of volume-delay curves each type of facility follows.

The atlas states for each type how long a full facility delays and how steeply the delay grows (`delay-line-alpha`,
`delay-line-beta` and so on). Both families take these two numbers: the power ``h x^beta``, and Spiess' conical function
through the same delay at capacity with the same beta as its sharpness, which is what he made it for: it has about the
power's shape up to capacity, and rises in a straight line beyond, where a high power grows without measure.

Reference: H. Spiess, Conical volume-delay functions, Transportation Science 24 (1990), 153-158.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from landbridge.model import flows
from landbridge.model.network import ArcKind, Network

__all__ = ["FACILITIES", "FAMILIES", "curves_of"]

FAMILIES = ("power", "conical")
#: Types of facilities, by the arcs that they stand for.
FACILITIES: Mapping[str, tuple[ArcKind, ...]] = {
    "line": (ArcKind.MOVE,),
    "crossing": (ArcKind.BORDER,),
    "yard": (ArcKind.GAUGE, ArcKind.TRANSFER),
}


def curves_of(net: Network, families: Mapping[str, str]) -> dict[int, flows.Curve]:
    """Make the curves of the facilities that do not follow the power.

    Parameters
    ----------
    net
        The supernetwork.
    families
        A member of `FAMILIES` by key of `FACILITIES`; those that are not named follow the power.

    Returns
    -------
    dict
        By facility. Those that no arc uses, that never delay, or whose power is not above 1 stay as they are.
    """
    made: dict[int, flows.Curve] = {}
    for name, family in families.items():
        if family == "power":
            continue
        bends = (net.facility_arc >= 0) & (net.delay_h > 0) & (net.power > 1)
        own = np.flatnonzero(bends)
        own = own[np.isin(net.kind[net.facility_arc[own]], FACILITIES[name])]
        made |= {f: flows.Conical(delay_h=float(net.delay_h[f]), alpha=float(net.power[f])) for f in own.tolist()}
    return made
