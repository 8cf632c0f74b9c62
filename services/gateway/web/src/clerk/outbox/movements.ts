// What a clerk reports, and what each changes of the stock that the device shows. Pure.
import { type Box, boxOf, type KitLot } from '../device/lots'

/** The kinds that have a screen. */
export type Kind = 'receive' | 'issue' | 'transfer' | 'seal' | 'release' | 'short_pick' | 'count' | 'reverse' | StepKind | 'photo'
/** Steps of an order that are the store's, one after the other. */
export const STEPS = ['picked', 'loaded', 'taken_over'] as const
export type StepKind = (typeof STEPS)[number]
export const isStep = (kind: Kind): kind is StepKind => (STEPS as readonly Kind[]).includes(kind)

/** A step at a stop of an order, or a photo of it. */
export interface OrderStep {
  id: string
  number: string
  stop: number
  /** Of a loading: units of what went aboard in smaller numbers than planned, by item; and by lot all that left the shelves. */
  loaded?: Record<string, number>
  lots?: { lot_id: string; units: number }[]
  /** Of a hand-over: the driver's code, or the name. */
  code?: string
  signed_by?: string
  /** Of a photo, in base64; gone when its body is settled. */
  jpeg?: string
}
export interface Change {
  account: string
  lot_id: string
  units: number
}
/** One thing done, before it is written down. */
export interface Draft {
  kind: Kind
  place_id: string
  /** The lot that it is about; absent of a reversal or a step. */
  lot?: KitLot
  units?: number
  to_place_id?: string
  reason?: string
  voucher?: string
  /** Of an issue: whether the item is to come back. */
  returnable?: boolean
  stocktake_id?: string
  account?: string
  /** Of a count: the sheet has the lot, so that its id is known. */
  on_sheet?: boolean
  picked_for?: string
  /** Of a short pick: of which pick of the device. */
  pick?: string
  reverses?: { id: string; kind: Kind; changes: Change[] }
  order?: OrderStep
}
export type Body = Record<string, unknown> & { id: string; kind: string }

interface Line {
  item_code: string
  quantity: number
  lot: Box
}

/** Between which accounts units go. */
function way(draft: Draft): [string | null, string | null] {
  const here = draft.place_id
  switch (draft.kind) {
    case 'receive':
      return [null, here]
    case 'issue':
      return [here, draft.returnable ? `lent:${here}` : null]
    case 'transfer':
      return [here, draft.to_place_id ?? null]
    case 'seal':
      return [here, `sealed:${here}`]
    case 'release':
      return [`sealed:${here}`, here]
    case 'short_pick':
      return [here, `missing:${here}`]
    default:
      return [null, null]
  }
}

export function changesOf(draft: Draft): Change[] {
  if (draft.reverses) return draft.reverses.changes.map((one) => ({ ...one, units: -one.units }))
  if (draft.order?.lots) return draft.order.lots.map(({ lot_id, units }) => ({ account: draft.place_id, lot_id, units: -units }))
  if (!draft.lot || !draft.units) return []
  const lot_id = draft.lot.id
  const [from, to] = way(draft)
  const out = from ? [{ account: from, lot_id, units: -draft.units }] : []
  return to ? [...out, { account: to, lot_id, units: draft.units }] : out
}

/** The report as the services take it; `occurred_at` is settled when it is first sent. */
export function bodyOf(id: string, draft: Draft, occurred_at: string): Body {
  const { kind, place_id, reason = '', voucher = '' } = draft
  if (kind === 'photo') return { id, kind, stop: draft.order!.stop, occurred_at, jpeg: draft.order!.jpeg, note: reason }
  if (isStep(kind)) return stepOf(id, kind, draft.order!, occurred_at)
  const lines = draft.lot ? [line(draft.lot, draft.units ?? 0)] : []
  const head = { id, kind, occurred_at }
  switch (kind) {
    case 'count':
      return counted(id, draft, occurred_at)
    case 'reverse':
      return { ...head, reverses_id: draft.reverses!.id, reason }
    case 'transfer':
      return { ...head, voucher, reason, from_place_id: place_id, to_place_id: draft.to_place_id, lines }
    case 'short_pick':
      return { ...head, reason, place_id, picked_for: draft.picked_for ?? null, lines }
    default:
      return { ...head, voucher, reason, place_id, lines }
  }
}

/** Lots are named by what stands on the box: so a lot that the books have not heard of yet is no obstacle. */
function line(lot: KitLot, quantity: number): Line {
  return { item_code: lot.item_code, quantity, lot: boxOf(lot) }
}

function stepOf(id: string, kind: StepKind, { stop, loaded, code, signed_by = '' }: OrderStep, occurred_at: string): Body {
  return { id, kind, stop, step: kind, occurred_at, signed_by, ...(loaded && { loaded }), ...(code && { code }) }
}

function counted(id: string, draft: Draft, counted_at: string): Body {
  const lot = draft.lot!
  const named = draft.on_sheet ? { lot_id: lot.id } : { item_code: lot.item_code, lot: boxOf(lot) }
  const what = { account: draft.account ?? draft.place_id, ...named }
  return { id, kind: 'count', stocktake_id: draft.stocktake_id, ...what, units: draft.units ?? 0, counted_at }
}

/** A count can not be taken back (the next person counts again), nor a reversal, nor a step of an order. */
export function reversible(kind: Kind): boolean {
  return !['count', 'reverse', 'photo', ...STEPS].includes(kind)
}
