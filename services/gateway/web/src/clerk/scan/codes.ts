// What a scanned code says: one of our labels (chubei:lot:…), an item's code, or a lot number from a maker's box. Pure.
import type { Kit } from '../device/kit'
import { type KitLot, onBox } from '../device/lots'

export type Scanned =
  | { what: 'lot'; lots: KitLot[] }
  | { what: 'item'; item_code: string }
  | { what: 'unknown'; text: string }

export function understood(raw: string, lots: Record<string, KitLot>, kit: Kit | null): Scanned {
  const text = onBox(raw)
  const [, kind, rest = ''] = /^chubei:(lot|bin):(.+)$/i.exec(text) ?? []
  if (kind?.toLowerCase() === 'lot') {
    const lot = lots[rest.toLowerCase()]
    return lot ? { what: 'lot', lots: [lot] } : { what: 'unknown', text }
  }
  const code = kind ? rest.slice(rest.lastIndexOf('/') + 1) : text
  if (kit?.items.some((item) => item.code === code)) return { what: 'item', item_code: code }
  const named = Object.values(lots).filter((lot) => lot.lot_no.toLowerCase() === text.toLowerCase())
  return named.length ? { what: 'lot', lots: named } : { what: 'unknown', text }
}
