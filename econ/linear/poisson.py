"""Poisson pseudo-maximum likelihood with fixed effects, on arrays."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import gammaln, xlogy

from econ.design.absorb import Absorber
from econ.design.collinear import cross_products, independent_columns, moments
from econ.errors import ModelError
from econ.linear.fit import BoolArray, FloatArray, LinearFit
from econ.linear.ols import fit_ols

_LOOSEST = 1e-4  # tolerance of the first absorptions, tightened as the deviance settles
_SETTLED = 1e-8  # tolerance of an absorption from which convergence may be read
_HALVINGS = 12
_HEAVY = 1e4  # weight of rows with a positive outcome in the search for separated rows
# relative to the largest value found there: what rows with a positive outcome may keep, how negative a row may be at
# the end, from which value on a row is separated; each a hundredth of the next, as rows on their way to zero lag behind
_EXACT, _NEGATIVE, _SEPARATED = 1e-8, 1e-6, 1e-4


@dataclass(frozen=True, eq=False)
class PoissonFit:
    """A Poisson regression, at its maximum unless ``separated`` says that it has none.

    Attributes
    ----------
    fit : regressors partialled out with the working weights ``w mu``, working residuals ``(y - mu) / mu``
    eta : (N,) linear index, offset and fixed effects included; ``eta - offset - X b`` is the sum of the fixed effects
    mu : (N,) ``exp(eta)``
    deviance : ``2 sum w (y log(y/mu) - (y - mu))``
    loglik : ``sum w (y log mu - mu - log y!)``
    loglik_null : the same with a constant (and the offset) only
    iterations : weighted least squares that were solved
    separated : (N,) rows whose fitted mean tends to zero; when there are any, the other numbers are those of an
        unfinished climb: leave these rows out, take the rank of the regressors again, and fit again
    """

    fit: LinearFit
    eta: FloatArray
    mu: FloatArray
    deviance: float
    loglik: float
    loglik_null: float
    iterations: int
    separated: BoolArray

    @property
    def r2_pseudo(self) -> float:
        """McFadden's ``1 - loglik / loglik_null``."""
        return 1 - self.loglik / self.loglik_null


def fit_poisson(
    y: FloatArray,
    X: FloatArray,
    absorber: Absorber,
    terms: Sequence[str],
    offset: FloatArray | None = None,
    *,
    tol: float = 1e-10,
    max_iter: int = 200,
) -> PoissonFit:
    r"""Coefficients of the conditional mean ``exp(offset + x'b + effects)``.

    .. math:: \sum_i w_i \, (y_i - \mu_i) \, x_i = 0, \qquad \mu_i = \exp(o_i + x_i'\beta + \alpha_{g(i)} + \dots)

    Consistent whenever the mean is right, whatever the distribution. Iteratively reweighted least squares: each round
    takes the effects out of the working outcome ``z = eta + (y - mu)/mu`` and of X with weights ``w mu``. As in
    Correia, Guimaraes and Zylkin (2020, section 3), what a round leaves of z and X is where the next one starts, the
    absorption is loose while the deviance still moves, and a round that raises the deviance is halved. It ends when the
    deviance moves by less than ``tol`` times itself (plus a ten-thousandth of the total outcome); one more round, at
    full tolerance, makes weights, regressors and residuals those of the same mean.

    Parameters
    ----------
    y : (N,) outcome, zero or positive, not all zero
    X : (N, K) regressors before any absorption, K may be zero; with a constant among them when there are no effects
    absorber : the fixed effects, with the prior weights
    terms : (K,) names of the regressors, for messages
    offset : (N,) or None

    Raises
    ------
    ModelError
        without convergence, or when a regressor is collinear once rows are weighted by their fitted means

    Notes
    -----
    Rows are *separated* when some combination of regressors and effects is zero wherever y is positive, and positive
    (never negative) at some rows where y is zero: subtracting it without end raises the likelihood. Such rows betray
    themselves by a mean that keeps falling, by a factor e a round; then, and only then, they are looked for exactly
    with the iterative rectifier of Correia, Guimaraes and Zylkin (2019).

    References
    ----------
    Correia, Guimaraes and Zylkin (2020), "Fast Poisson estimation with high-dimensional fixed effects", Stata Journal
    20(1); (2019), "Verifying the existence of maximum likelihood estimates for generalized linear models",
    arXiv:1903.01633; Santos Silva and Tenreyro (2006), REStat 88(4).

    Examples
    --------
    >>> import numpy as np
    >>> y, x = np.array([1.0, 2.0, 4.0, 8.0]), np.arange(4.0)
    >>> found = fit_poisson(y, np.column_stack((np.ones(4), x)), Absorber([]), ("constant", "x"))
    >>> print(f"{found.fit.coef[1]:.6f}")
    0.693147
    """
    prior = np.ones(len(y)) if absorber.weights is None else absorber.weights
    start = np.zeros(len(y)) if offset is None else offset
    climb = _climb(y, X, absorber, prior, start, tol, max_iter)
    separated = np.zeros(len(y), dtype=np.bool_)
    suspects = (y == 0) & (prior * climb.mu <= 10 * tol * climb.scale)
    if suspects.any():
        separated = _separated(y, X, absorber)
    if not separated.any():
        if not climb.converged:
            raise ModelError(
                f"The Poisson regression did not converge in {max_iter} rounds; look for extreme values of the outcome "
                "or the regressors, and rescale or drop them."
            )
        _require_rank(climb, X, terms)
    return PoissonFit(
        climb.fit,
        climb.eta,
        climb.mu,
        climb.deviance,
        _loglik(y, climb.mu, prior),
        _loglik(y, _constant_mean(y, prior, start), prior),
        climb.rounds,
        separated,
    )


# ---------------------------------------------------------------------- the climb


@dataclass(frozen=True, eq=False)
class _Climb:
    """Where the iterations stand; ``scale`` is what a change of the deviance is measured against."""

    fit: LinearFit
    eta: FloatArray
    mu: FloatArray
    deviance: float
    scale: float
    rounds: int
    converged: bool


def _climb(
    y: FloatArray, X: FloatArray, absorber: Absorber, prior: FloatArray, offset: FloatArray, tol: float, max_iter: int
) -> _Climb:
    total = float(prior @ y)
    mu = (y + total / prior.sum()) / 2
    eta = np.log(mu)
    left, working = np.column_stack((np.zeros(len(y)), X)), np.zeros(len(y))
    deviance, inner, converged = np.inf, max(_LOOSEST, absorber.tol), False
    for rounds in range(1, max_iter + 1):
        new_working = eta - offset + (y - mu) / mu
        left[:, 0] += new_working - working
        working = new_working
        left = absorber.new_weights(prior * mu, absorber.tol if converged else inner).residualize(left)
        step = _least_squares(left[:, 0], left[:, 1:], prior * mu)
        new_eta = working - step.residuals + offset
        new_mu, new_deviance = _mean(y, new_eta, prior)
        new_eta, new_mu, new_deviance = _halved(y, prior, eta, deviance, (new_eta, new_mu, new_deviance))
        scale = new_deviance + 1e-4 * total
        if converged:  # weights and regressors of this round belong to the mean it started from
            fit = LinearFit(step.coef, step.bread, step.X, (y - mu) / mu, prior * mu)
            return _Climb(fit, eta, mu, deviance, scale, rounds, converged=True)
        change = abs(deviance - new_deviance) / scale
        converged = change <= tol and inner <= _SETTLED
        inner = max(absorber.tol, min(inner, change / 10))
        eta, mu, deviance = new_eta, new_mu, new_deviance
    return _Climb(step, eta, mu, deviance, scale, max_iter, converged=False)


def _least_squares(z: FloatArray, X: FloatArray, weights: FloatArray) -> LinearFit:
    if X.shape[1] == 0:
        return LinearFit(np.zeros(0), np.zeros((0, 0)), X, z, weights)
    return fit_ols(z, X, weights)


def _mean(y: FloatArray, eta: FloatArray, prior: FloatArray) -> tuple[FloatArray, float]:
    """Means and deviance; the exponential is kept within what a float can hold."""
    mu = np.exp(np.clip(eta, -500, 500))
    return mu, float(2 * (prior @ (xlogy(y, y / mu) - (y - mu))))


def _halved(
    y: FloatArray, prior: FloatArray, eta: FloatArray, deviance: float, new: tuple[FloatArray, FloatArray, float]
) -> tuple[FloatArray, FloatArray, float]:
    """The new point, drawn towards the old one until the deviance does not rise by more than rounding."""
    new_eta, new_mu, new_deviance = new
    for _ in range(_HALVINGS):
        if new_deviance <= deviance * (1 + 1e-9) or not np.isfinite(deviance):
            break
        new_eta = (new_eta + eta) / 2
        new_mu, new_deviance = _mean(y, new_eta, prior)
    return new_eta, new_mu, new_deviance


def _require_rank(climb: _Climb, X: FloatArray, terms: Sequence[str]) -> None:
    weights, left = climb.fit.weights, climb.fit.X
    if X.shape[1] == 0:
        return
    _, about_mean, about_zero = moments(X, weights)
    # a constant among the regressors varies about zero only
    variation = np.where(about_mean > 1e-12 * about_zero, about_mean, about_zero)
    keep = independent_columns(cross_products(left, left, weights), variation, about_zero).keep
    if not keep.all():
        lost = ", ".join(term for term, kept in zip(terms, keep, strict=True) if not kept)
        raise ModelError(
            f"Weighted by the fitted means, {lost} cannot be told apart from the other regressors and the fixed "
            "effects: what it adds varies only where the outcome is next to nothing. Leave it out."
        )


def _constant_mean(y: FloatArray, prior: FloatArray, offset: FloatArray) -> FloatArray:
    exposure = np.exp(offset)
    return np.asarray(exposure * (prior @ y) / (prior @ exposure))


def _loglik(y: FloatArray, mu: FloatArray, prior: FloatArray) -> float:
    return float(prior @ (xlogy(y, mu) - mu - gammaln(y + 1)))


# ---------------------------------------------------------------------- separation


def _separated(y: FloatArray, X: FloatArray, absorber: Absorber, max_iter: int = 1_000) -> BoolArray:
    """Rows where a combination that is zero where y > 0, and nowhere negative, is positive (the iterative rectifier).

    Starting from one at the zeros of y, project on the combinations that vanish where y is positive, set what is
    negative to zero, and repeat. The projection has heavy weights where y is positive; what they leave there is
    subtracted from the target and projected again (multipliers), exact without weights that ruin the arithmetic.
    """
    positive = y > 0
    weights = np.where(positive, _HEAVY, 1.0)
    heavy = absorber.new_weights(weights)
    left = heavy.residualize(X)
    target = np.where(positive, 0.0, 1.0)
    for _ in range(max_iter):
        outcome = heavy.residualize(target)
        fitted = target - _least_squares(outcome, left, weights).residuals
        largest = fitted[~positive].max()
        if np.abs(fitted[positive]).max() > _EXACT * max(largest, _SEPARATED):
            target = np.where(positive, target - fitted, target)
        elif largest <= _SEPARATED:
            return np.zeros(len(y), dtype=np.bool_)
        elif fitted.min() >= -_NEGATIVE * largest:
            return np.asarray(~positive & (fitted > _SEPARATED * largest))
        else:
            target = np.where(positive, target, np.maximum(fitted, 0.0))
    raise ModelError(
        "The fitted means of some rows tend to zero, and which rows are separated could not be settled in "
        f"{max_iter:,} rounds; use fewer fixed effects, or leave out regressors that are positive only where the "
        "outcome is zero."
    )
