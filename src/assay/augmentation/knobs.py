"""What can be turned about augmentation; imports nothing heavy. Zero leaves a thing out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from annotated_types import Ge, Gt, Le


@dataclass(frozen=True, kw_only=True)
class OfImages:
    """``shift`` is the largest, as a share of the side, and ``rotation`` the largest in degrees.

    ``flip`` and ``erase`` are probabilities: to be mirrored left to right, and to lose a rectangle
    (Zhong et al. 2017, arXiv:1708.04896). ``noise`` is in standard deviations of the training
    pixels. ``mixup`` is the alpha of Zhang et al. 2017, arXiv:1710.09412.
    """

    shift: Annotated[float, Ge(0), Le(1)] = 0.0
    rotation: Annotated[float, Ge(0), Le(180)] = 0.0
    flip: Annotated[float, Ge(0), Le(1)] = 0.0
    erase: Annotated[float, Ge(0), Le(1)] = 0.0
    noise: Annotated[float, Ge(0)] = 0.0
    mixup: Annotated[float, Ge(0)] = 0.0


@dataclass(frozen=True, kw_only=True)
class OfSequences:
    """``jitter`` is in standard deviations of each channel; ``scaling`` is that of a factor around 1,
    one for each row and channel, on the distance to the channel's mean (both: Um et al. 2017,
    arXiv:1706.00527). ``masking`` is the largest gap, as a share of the row's length, in which every
    channel is its mean (Park et al. 2019, arXiv:1904.08779).
    """

    jitter: Annotated[float, Ge(0)] = 0.0
    scaling: Annotated[float, Ge(0)] = 0.0
    masking: Annotated[float, Ge(0), Le(1)] = 0.0


@dataclass(frozen=True, kw_only=True)
class OfText:
    """``dropout`` is the probability of a token to become unknown (Bowman et al. 2016,
    arXiv:1511.06349).
    """

    dropout: Annotated[float, Ge(0), Le(1)] = 0.0


@dataclass(frozen=True, kw_only=True)
class OfSamples:
    """Samples of a registered generator beside the rows of each training batch (Antoniou et al. 2017,
    arXiv:1711.04340). ``source`` is its version, such as ``models:/digits-gan@champion``, null for
    none; ``digest`` is filled in when the configuration is composed. ``share`` is how many, in rows
    of the batch: with 0.5 one of three rows is a sample.
    """

    source: str | None = None
    digest: str | None = None
    share: Annotated[float, Gt(0), Le(10)] = 0.5


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """What is done to training batches, by kind of data, whose names are those of the kinds.

    ``samples`` of images come before it.
    """

    image: OfImages = field(default_factory=OfImages)
    sequence: OfSequences = field(default_factory=OfSequences)
    text: OfText = field(default_factory=OfText)
    samples: OfSamples = field(default_factory=OfSamples)
