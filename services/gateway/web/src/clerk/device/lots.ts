// A lot's id follows from what stands on its box, so that a device without a network mints the same as everyone
// else: chubei_shared.contracts.catalogue.lot_id, byte for byte.
import type { components } from '../../api/schema'

export type KitLot = components['schemas']['KitLot']
/** What stands on a box. */
export interface Box {
  lot_no: string
  maker: string
  made_on: string | null
  expires_on: string | null
  owner: NonNullable<components['schemas']['Lot']['owner']>
}

const LOTS = '5b0c4b1e6c0f5d0a9a523d0f1c7e8a21'

/** What a scanner or a keyboard adds and no eye sees is not on the box. */
export function onBox(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f\u0085\ufeff]/g, ' ').trim()
}

/** A list of texts as Python's json.dumps writes it. */
function asPython(texts: string[]): string {
  const escaped = (text: string) =>
    JSON.stringify(text).replace(/[^\x20-\x7e]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
  return `[${texts.map(escaped).join(', ')}]`
}

export async function lotId(item_code: string, box: Box): Promise<string> {
  const dates = [box.made_on ?? 'None', box.expires_on ?? 'None']
  const told = asPython([item_code, box.lot_no, box.maker, ...dates, box.owner])
  const space = Uint8Array.from(LOTS.match(/../g)!, (pair) => parseInt(pair, 16))
  const name = new TextEncoder().encode(told)
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-1', new Uint8Array([...space, ...name])))
  hash[6] = (hash[6]! & 0x0f) | 0x50 // version 5
  hash[8] = (hash[8]! & 0x3f) | 0x80
  const hex = Array.from(hash.slice(0, 16), (byte) => byte.toString(16).padStart(2, '0')).join('')
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}

export function boxOf(lot: KitLot): Box {
  const { lot_no, maker, made_on, expires_on, owner } = lot
  return { lot_no, maker, made_on, expires_on, owner: owner as Box['owner'] }
}
