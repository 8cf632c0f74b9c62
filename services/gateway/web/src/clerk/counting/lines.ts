// A blind sheet as this clerk sees it: what is to be counted, with what was counted here and is not sent yet. Pure.
import type { Sheet, SheetLine } from '../device/kit'
import type { KitLot } from '../device/lots'
import type { Entry } from '../outbox/entries'

export interface Line extends SheetLine {
  /** Nothing is left for this clerk to do here. */
  done: 'by-me' | 'by-other' | 'counted' | null
}

export function linesOf(sheet: Sheet, entries: Entry[]): Line[] {
  const counts = entries.filter((one) => one.draft.kind === 'count' && one.draft.stocktake_id === sheet.id)
  const mine = new Set(counts.map(({ draft }) => `${draft.account} ${draft.lot?.id}`))
  return sheet.lines
    .filter((line) => line.status !== 'gone')
    .map((line) => ({ ...line, done: doneOf(line, mine.has(`${line.account} ${line.lot_id}`)) }))
}

function doneOf(line: SheetLine, countedHere: boolean): Line['done'] {
  if (line.status === 'to_recount') return line.counted_by_me || countedHere ? 'by-other' : null
  if (countedHere || line.counted_by_me) return 'by-me'
  return line.status === 'counted' ? 'counted' : null
}

/** The lot of a line. Its owner is not on the sheet; the line is reported by the lot's id. */
export function lotOf(line: SheetLine): KitLot {
  const { lot_id: id, item_code, lot_no, maker, made_on, expires_on } = line
  return { id, item_code, lot_no, maker, made_on, expires_on, owner: 'district', quality: 'ok' }
}
