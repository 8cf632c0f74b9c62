// Whole people, shared out exactly: as allocation's incidents/people.py does.

/** Shares of `total` by `weights`, whole and summing to it: largest remainders first, ties by order. */
export function shareOut(total: number, weights: number[]): number[] {
  const whole = weights.reduce((sum, weight) => sum + weight, 0)
  if (!total || !whole) return weights.map(() => 0)
  const shares = weights.map((weight) => Math.floor((total * weight) / whole))
  const left = total - shares.reduce((sum, share) => sum + share, 0)
  weights
    .map((weight, at) => ({ at, rest: (total * weight) % whole }))
    .sort((a, b) => b.rest - a.rest || a.at - b.at)
    .slice(0, left)
    .forEach(({ at }) => (shares[at]! += 1))
  return shares
}
