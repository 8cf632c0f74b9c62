// What is to be picked here, in the order in which one walks. Pure.
import type { Bin, Kit, Order } from '../device/kit'
import type { Entry } from '../outbox/entries'
import { type OrderStep, type StepKind, STEPS } from '../outbox/movements'

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
type Aboard = globalThis.Pick<OrderStep, 'loaded' | 'lots'>
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
    const wanted = physical(stop)
    const done = doneAt(order, stop.stop)
    if (stop.place_id !== kit.place_id || !wanted.length || done.includes('taken_over') || done.includes('departed')) return []
    const lines: Omit<PickLine, 'bin'>[] = []
    const short: string[] = []
    for (const [item_code, quantity] of done.includes('loaded') ? [] : wanted) {
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

/** What a stop loads off the shelves: [item, units]. */
function physical(stop: Order['stops'][number]): [string, number][] {
  return Object.entries(stop.load).filter(([item]) => (stop.modes[item] ?? 'physical') === 'physical')
}

function doneAt(order: Order, stop: number): string[] {
  return order.steps.filter((one) => one.stop === stop && one.state !== 'refused').map((one) => one.step)
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

/** The reports of an order's step at the pick's stop, the last last. */
export function stepsOf(pick: Pick, entries: Entry[]): Entry[] {
  return entries.filter(({ draft }) => draft.order?.id === pick.id && draft.order.stop === pick.stop)
}

/** How far an order is here: by what it says itself, and by what was reported and not refused. */
export function stageOf(pick: Pick, entries: Entry[]): StepKind | null {
  const told: string[] = stepsOf(pick, entries).filter((one) => one.state !== 'parked').map((one) => one.draft.kind)
  const known = pick.order ? doneAt(pick.order, pick.stop) : []
  return STEPS.findLast((step) => told.includes(step) || known.includes(step)) ?? null
}

/** What goes aboard: what was taken here or, where another device did the picking, what the hold keeps for it. */
export function aboardOf(pick: Pick, done: DoneLine[]): Required<Aboard> {
  const { order } = pick
  if (!order || order.exercise) return { loaded: {}, lots: [] }
  const taken = (done.length ? done : pick.lines).filter((line) => line.units)
  const units: Record<string, number> = {}
  for (const line of taken) units[line.item_code] = (units[line.item_code] ?? 0) + line.units
  const wanted = order.stops.filter((one) => one.stop === pick.stop).flatMap(physical)
  const fewer = wanted.filter(([item, many]) => (units[item] ?? 0) < many)
  return {
    loaded: Object.fromEntries(fewer.map(([item]) => [item, units[item] ?? 0])),
    lots: taken.map(({ lot_id, units }) => ({ lot_id, units })),
  }
}
