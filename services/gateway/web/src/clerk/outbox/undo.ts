// Which entries can be taken back: those that moved something, once. Pure.
import type { Entry } from './entries'
import { reversible } from './movements'

export function isUndoable(entry: Entry, all: Entry[]): boolean {
  const settled = entry.answer?.reason === 'rejected' || entry.answer?.reason === 'refused'
  return reversible(entry.draft.kind) && !settled && !all.some((one) => one.draft.reverses?.id === entry.id)
}
