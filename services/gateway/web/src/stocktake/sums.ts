// What the differences of a stocktake come to. Pure.
import type { Difference } from './types'

export interface Sums {
  lines: number
  wrong: number
  /** Units found more, and less, than booked: sums over items, to see the size of it. */
  more: number
  less: number
  value_fen: number
  toCount: number
  toRecount: number
}

export function sumsOf(rows: Difference[]): Sums {
  const sums: Sums = { lines: 0, wrong: 0, more: 0, less: 0, value_fen: 0, toCount: 0, toRecount: 0 }
  for (const row of rows) {
    sums.lines += 1
    if (row.status === 'to_count') sums.toCount += 1
    if (row.status === 'to_recount') sums.toRecount += 1
    const by = row.difference ?? 0
    if (!by) continue
    sums.wrong += 1
    if (by > 0) sums.more += by
    else sums.less -= by
    sums.value_fen += row.value_fen ?? 0
  }
  return sums
}

/** Who had a hand in it, as far as this person may see: they do not approve it. */
export function involved(opened_by: string, steps: { state: string; recorded_by: string }[], rows: Difference[]): Set<string> {
  const handedIn = steps.filter((one) => one.state === 'review').map((one) => one.recorded_by)
  return new Set([opened_by, ...handedIn, ...rows.flatMap((row) => row.counts.map((count) => count.counted_by))])
}
