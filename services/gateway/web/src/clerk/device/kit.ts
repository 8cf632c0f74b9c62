// What a clerk takes along: the kit of a place as the services gave it, brought up to date by what has changed.
// Pure: no network, no storage.
import type { components } from '../../api/schema'
import type { KitLot } from './lots'

type Schemas = components['schemas']
export type Told = Schemas['OfflineKit']
export type KitItem = Schemas['KitItem']
export type KitHold = Schemas['KitHold']
export type KitPlace = Schemas['KitPlace']
export type Bin = Schemas['Bin']
export type Order = Schemas['OrderView']
export type SheetLine = Schemas['SheetLine']
export type Settled = Schemas['KitParked']

export interface Sheet {
  id: string
  reason: string
  opened_at: string
  lines: SheetLine[]
}
export interface Kit {
  place_id: string
  taken_at: string
  cursor: string
  items: KitItem[]
  places: KitPlace[]
  /** By id. */
  lots: Record<string, KitLot>
  /** Units by account, then by lot; never 0. */
  stock: Record<string, Record<string, number>>
  holds: KitHold[]
  register: Bin[]
  orders: Order[]
  sheets: Sheet[]
}
/** What is asked for beside the kit itself. */
export type Beside = Pick<Kit, 'register' | 'orders' | 'sheets'>

export function brought(before: Kit | null, told: Told, beside: Beside): Kit {
  const known = before && !told.whole ? before : null
  const stock = structuredClone(known?.stock ?? {})
  for (const { account, lot_id, units } of told.bins) {
    const here = (stock[account] ??= {})
    if (units) here[lot_id] = units
    else delete here[lot_id]
  }
  return {
    place_id: told.place_id,
    taken_at: told.taken_at,
    cursor: told.cursor,
    items: told.items ?? before?.items ?? [],
    places: told.places ?? before?.places ?? [],
    lots: { ...known?.lots, ...Object.fromEntries(told.lots.map((lot) => [lot.id, lot])) },
    stock,
    holds: told.holds,
    ...beside,
  }
}
