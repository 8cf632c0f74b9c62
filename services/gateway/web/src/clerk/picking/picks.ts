// What is to be picked here, in the order in which one walks. Pure.
import type { Bin, Kit, Order } from '../device/kit'
import type { Entry } from '../outbox/entries'

export interface PickLine {
  item_code: string
  lot_id: string
  units: number
  bin: Bin | null
}
export interface Pick {
  /** The order's id, or the hold's where no order draws on it. */
  id: string
  hold_id: string
  order: Order | null
  stop: number
  purpose: string
  lines: PickLine[]
  /** Items of which the hold has fewer than the order wants. */
  short: string[]
}
/** Units taken, by pick and lot. */
export type Taken = Record<string, Record<string, number>>

const WALK_LAST = Number.MAX_SAFE_INTEGER

/** Orders are served one after another from what their hold keeps, the first to expire first, as they will be loaded. */
export function picks(kit: Kit): Pick[] {
  const left = new Map(
    kit.holds.map((hold) => [hold.id, hold.lines.map((line) => ({ ...line, units: line.outstanding }))]),
  )
  const orders = kit.orders.toSorted((a, b) => a.number.localeCompare(b.number)).flatMap((order) => ofOrder(order, kit, left))
  const drawn = new Set(kit.orders.map((order) => order.hold_id))
  const bare = kit.holds.filter((hold) => !drawn.has(hold.id)).map((hold) => {
    const lines = hold.lines.map(({ item_code, lot_id, outstanding }) => ({ item_code, lot_id, units: outstanding }))
    return { id: hold.id, hold_id: hold.id, order: null, stop: 0, purpose: hold.purpose.replace(/^plan:/, '').slice(0, 8), lines: walked(lines, kit), short: [] }
  })
  return [...orders, ...bare]
}

type Left = Map<string, { item_code: string; lot_id: string; units: number }[]>

function ofOrder(order: Order, kit: Kit, left: Left): Pick[] {
  return order.stops.flatMap((stop) => {
    const wanted = Object.entries(stop.load).filter(([item]) => (stop.modes[item] ?? 'physical') === 'physical')
    const loaded = order.steps.some((s) => s.stop === stop.stop && s.step === 'loaded' && s.state !== 'refused')
    if (stop.place_id !== kit.place_id || !wanted.length || loaded) return []
    const lines: Omit<PickLine, 'bin'>[] = []
    const short: string[] = []
    for (const [item_code, quantity] of wanted) {
      let need = quantity
      for (const lot of left.get(order.hold_id) ?? []) {
        const units = lot.item_code === item_code ? Math.min(need, lot.units) : 0
        if (!units) continue
        lines.push({ item_code, lot_id: lot.lot_id, units })
        lot.units -= units
        need -= units
      }
      if (need) short.push(item_code)
    }
    const head = { id: order.id, hold_id: order.hold_id, order, stop: stop.stop, purpose: order.number }
    return [{ ...head, lines: walked(lines, kit), short }]
  })
}

/** In walking order of the bins; what has none comes last. */
function walked(lines: Omit<PickLine, 'bin'>[], kit: Kit): PickLine[] {
  const bins = kit.register.filter((bin) => !bin.closed && bin.item_code)
  const first = new Map<string, Bin>()
  for (const bin of bins.toSorted((a, b) => a.walk_order - b.walk_order || a.code.localeCompare(b.code)))
    if (!first.has(bin.item_code!)) first.set(bin.item_code!, bin)
  return lines
    .map((line) => ({ ...line, bin: first.get(line.item_code) ?? null }))
    .sort((a, b) => (a.bin?.walk_order ?? WALK_LAST) - (b.bin?.walk_order ?? WALK_LAST) || a.item_code.localeCompare(b.item_code))
}

/** What was reported missing of a pick, and not taken back. */
export function shortsOf(pick: string, entries: Entry[]): Entry[] {
  const back = new Set(entries.map((one) => one.draft.reverses?.id))
  return entries.filter((one) => one.draft.pick === pick && !back.has(one.id))
}

export interface DoneLine {
  item_code: string
  lot_id: string
  units: number
  shorts: Entry[]
}
/** Lines that are done; also of lots that were not there at all, which the hold does not name any more. */
export function doneOf(pick: Pick, taken: Record<string, number>, shorts: Entry[]): DoneLine[] {
  const named = pick.lines.filter((line) => line.lot_id in taken)
  const known = new Set(pick.lines.map((line) => line.lot_id))
  const gone = shorts.flatMap(({ draft }) => (draft.lot && !known.has(draft.lot.id) ? [draft.lot] : []))
  const lots = new Map([...named, ...gone.map((lot) => ({ lot_id: lot.id, item_code: lot.item_code }))].map((one) => [one.lot_id, one.item_code]))
  return [...lots].map(([lot_id, item_code]) => {
    return { lot_id, item_code, units: taken[lot_id] ?? 0, shorts: shorts.filter((one) => one.draft.lot?.id === lot_id) }
  })
}

/** Whether the order stands as picked already. */
export function isPicked(pick: Pick): boolean {
  return pick.order?.steps.some((s) => s.stop === pick.stop && s.step === 'picked') ?? false
}
