"""Rules that turn scaled indicators into weights: entropy, CRITIC, principal components, equal, or given."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from econ.disparity.indicators import Matrix
from econ.errors import ModelError, OptionError
from econ.linear.fit import BoolArray, FloatArray
from econ.options import IndicatorScaling, WeightMethod, ZeroWord, check_word
from econ.text import Text

METHOD_WORDS: Mapping[str, Text] = {
    "entropy": {"en": "entropy", "zh": "熵权法"},
    "critic": {"en": "CRITIC", "zh": "CRITIC 法"},
    "pca": {"en": "principal components (eigenvalues of at least 1)", "zh": "主成分法（特征值不小于 1）"},
    "equal": {"en": "equal", "zh": "等权"},
    "given": {"en": "given", "zh": "给定"},
}
SCALING_WORDS: Mapping[str, Text] = {
    "pooled": {"en": "min-max scaled over all periods together", "zh": "各期合并作极差标准化"},
    "period": {"en": "min-max scaled within each period", "zh": "逐期作极差标准化"},
}


@dataclass(frozen=True)
class Zero:
    """What entropy does with the zeros that min-max scaling makes: ``z`` becomes ``low + (high - low) z``.

    Made by ``limit()``, ``rescale()`` and ``shift()``; prints as words.
    """

    low: float
    high: float
    words: Text

    def apply(self, z: FloatArray) -> FloatArray:
        """The scaled values from which the entropy is computed."""
        return self.low + (self.high - self.low) * z


def limit() -> Zero:
    """Zeros stay, and count as ``0 ln 0 = 0``, the limit of ``p ln p``."""
    return Zero(0.0, 1.0, {"en": "0 ln 0 = 0", "zh": "0 ln 0 = 0"})


def rescale(low: float = 0.002, high: float = 0.998) -> Zero:
    """Min-max to [low, high] in place of [0, 1]."""
    if not 0 < low < high <= 1:
        raise OptionError(f"rescale({low:g}, {high:g}) is not allowed; give 0 < low < high <= 1, such as 0.002, 0.998.")
    return Zero(low, high, {"en": f"rescaled to [{low:g}, {high:g}]", "zh": f"归一化至 [{low:g}, {high:g}]"})


def shift(by: float = 1e-4) -> Zero:
    """Add a small constant to every scaled value."""
    if not 0 < by <= 1:
        raise OptionError(f"shift({by:g}) is not allowed; give a small positive number, such as 0.0001.")
    return Zero(by, 1 + by, {"en": f"shifted by {by:g}", "zh": f"平移 {by:g}"})


def zero_rule(zero: Zero | ZeroWord) -> Zero:
    """The rule itself, or the one that a word stands for."""
    if isinstance(zero, Zero):
        return zero
    check_word(zero, ZeroWord, "zero")
    return {"limit": limit, "rescale": rescale, "shift": shift}[zero]()


def block_weights(data: Matrix, weights: WeightMethod | Mapping[str, float], zero: Zero) -> dict[Any, FloatArray]:
    """Block label -> (J,) weights that sum to 1."""
    if isinstance(weights, Mapping):
        return dict.fromkeys(data.labels.values(), given_weights(weights, data.names))
    check_word(weights, WeightMethod, "weights")
    return {label: _weigh(data.z[rows], weights, zero, data.names) for label, rows in data.blocks()}


def system_block_weights(
    data: Matrix, inside: BoolArray, weights: WeightMethod | Mapping[str, float], zero: Zero
) -> dict[Any, FloatArray]:
    """Block label -> weights of the indicators ``inside`` one system, summing to 1 within it."""
    if isinstance(weights, Mapping):
        _require_names(weights, data.names)
        weights = {name: weights[name] for name, of in zip(data.names, inside, strict=True) if of}
    return block_weights(data.of(inside), weights, zero)


def given_weights(weights: Mapping[str, float], names: Sequence[str]) -> FloatArray:
    """Weights in the order of ``names``, checked and scaled to sum to 1."""
    _require_names(weights, names)
    w = np.array([weights[name] for name in names], dtype=np.float64)
    if not np.isfinite(w).all() or (w < 0).any() or w.sum() == 0:
        raise OptionError(f"weights={dict(weights)!r} are not allowed; give weights >= 0, not all zero.")
    return np.asarray(w / w.sum())


def _require_names(weights: Mapping[str, float], names: Sequence[str]) -> None:
    if set(weights) != set(names):
        raise OptionError(f"Weights are given for {', '.join(weights)}; give one for each of {', '.join(names)}.")


def _weigh(z: FloatArray, method: WeightMethod, zero: Zero, names: Sequence[str]) -> FloatArray:
    if z.shape[1] == 1 or method == "equal":
        return np.full(z.shape[1], 1 / z.shape[1])
    raw = {"entropy": lambda: _divergence(zero.apply(z)), "critic": lambda: _conflict(z), "pca": lambda: _pca(z)}
    w = raw[method]()
    if w.sum() <= 1e-12:
        raise ModelError(f"{method} weights of {', '.join(names)} do not exist: they are copies of each other.")
    return np.asarray(w / w.sum())


def _divergence(z: FloatArray) -> FloatArray:
    """(J,) one minus the entropy of each column."""
    p = z / z.sum(axis=0)
    logs = np.log(p, out=np.zeros_like(p), where=p > 0)  # 0 ln 0 = 0
    return np.asarray(1 + (p * logs).sum(axis=0) / np.log(len(z)))


def _conflict(z: FloatArray) -> FloatArray:
    return np.asarray(z.std(axis=0, ddof=1) * (1 - np.corrcoef(z.T)).sum(axis=0))


def _pca(z: FloatArray) -> FloatArray:
    values, vectors = np.linalg.eigh(np.corrcoef(z.T))
    kept = (values >= 1) | (values == values.max())
    return np.asarray(vectors[:, kept] ** 2 @ values[kept])


def weights_frame(data: Matrix, weights: Mapping[Any, FloatArray]) -> pd.DataFrame:
    """``period, indicator, direction, weight``."""
    parts = [
        pd.DataFrame({"period": label, "indicator": data.names, "direction": data.directions, "weight": w})
        for label, w in weights.items()
    ]
    return pd.concat(parts, ignore_index=True)


def weights_note(weights: WeightMethod | Mapping[str, float], zero: Zero, scaling: IndicatorScaling) -> Text:
    """How the weights came about, in a sentence."""
    method = weights if isinstance(weights, str) else "given"
    rule = {lang: f" ({zero.words[lang]})" if lang == "en" else f"（{zero.words[lang]}）" for lang in ("en", "zh")}
    tail = rule if method == "entropy" else {"en": "", "zh": ""}
    how, scaled = METHOD_WORDS[method], SCALING_WORDS[scaling]
    return {
        "en": f"Indicators {scaled['en']}; weights: {how['en']}{tail['en']}.",
        "zh": f"指标{scaled['zh']}；权重：{how['zh']}{tail['zh']}。",
    }
