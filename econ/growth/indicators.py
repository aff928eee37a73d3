"""Fixed effects as columns of indicators, for estimators that cannot take them out."""

from dataclasses import replace

import numpy as np

from econ.design.collinear import cross_products, independent_columns
from econ.errors import ModelError, OptionError
from econ.linear.fit import FloatArray
from econ.problem import Problem, design_columns, require_terms, usable
from econ.text import Text

MOST_LEVELS = 2000  # of all fixed effects together; each is a column


def with_indicators(problem: Problem) -> tuple[FloatArray, FloatArray, tuple[str, ...], tuple[Text, ...]]:
    """Outcome (N,), regressors (N, K) followed by independent indicators of the levels, the K terms, and notes."""
    levels = sum(effect.n_levels for effect in problem.effects)
    if levels > MOST_LEVELS:
        raise ModelError(
            f"The fixed effects have {levels:,} levels, each of which would be a column; at most {MOST_LEVELS:,} are "
            "allowed here. Use econ.fepois or econ.feols, which take them out, or fewer levels."
        )
    if any(effect.slope is not None for effect in problem.effects):
        raise OptionError("Slopes by unit are not allowed here; use intercepts, such as '| province + year'.")
    columns = design_columns(problem, 1)
    regressors = columns.group(1)
    left = replace(regressors.matrix, values=problem.absorber.residualize(regressors.X))
    found, notes = usable(problem, replace(regressors, matrix=left))
    require_terms(problem, found.names)
    X = regressors.select(np.isin(regressors.names, found.names)).X
    indicators = [
        (effect.codes[:, None] == np.arange(effect.n_levels)).astype(np.float64) for effect in problem.effects
    ]
    if not indicators:
        return columns.y, X, found.names, notes
    D = np.hstack(indicators)
    gram = cross_products(D, D)
    keep = independent_columns(gram, np.diag(gram), np.diag(gram)).keep
    return columns.y, np.hstack([X, D[:, keep]]), found.names, notes
