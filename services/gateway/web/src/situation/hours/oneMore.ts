// PURE. What "one more" of a binding resource is, as an assumption that a plan can be asked for with.
import type { components } from '../../api/schema'
import type { Shape } from '../../api/client'
import type { Progress } from '../progress'

export type Held = Shape<'Held'>
type Assumption = NonNullable<components['schemas']['PlanRequest']['assume']>[number]

const EARLIER_MIN = 60
const VEHICLES = 10
const HAND_OUT_PER_HOUR = 60
const placeOf = (source: string) => source.split('~')[0]! // a source stands for a place, in parts of a mode each

/** Null where one more of it can not be asked for. */
export function oneMore(held: Held, unmet: Shape<'Lacking'>[], progress: Progress): Assumption | null {
  switch (held.kind) {
    case 'docks':
      return { kind: 'more_docks', place_id: placeOf(held.id), docks: 1 }
    case 'crews':
      return { kind: 'crews_earlier', place_id: placeOf(held.id), minutes: EARLIER_MIN }
    case 'lead':
      return { kind: 'goods_earlier', place_id: placeOf(held.id), minutes: EARLIER_MIN }
    case 'bays':
      return { kind: 'more_bays', shelter_id: held.id, bays: 1 }
    case 'desks':
      return { kind: 'faster_hand_out', shelter_id: held.id, people_per_hour: HAND_OUT_PER_HOUR }
    case 'vehicles':
      return { kind: 'more_vehicles', type: held.id, count: VEHICLES }
    case 'items': {
      const units = unmet.reduce((sum, row) => sum + (row.short[held.id] ?? 0), 0)
      const place_id = whereLoaded(held.id, progress)
      return place_id && units ? { kind: 'more_goods', place_id, item_code: held.id, units } : null
    }
    default:
      return null
  }
}

/** The place where most of an item is loaded. */
function whereLoaded(item: string, progress: Progress): string | null {
  const units = new Map<string, number>()
  for (const stop of progress.trips.flatMap((trip) => trip.stops)) {
    if (stop.loads) units.set(stop.place_id, (units.get(stop.place_id) ?? 0) + (stop.goods[item] ?? 0))
  }
  const [most] = [...units].filter(([, some]) => some).sort((a, b) => b[1] - a[1])
  return most?.[0] ?? null
}
