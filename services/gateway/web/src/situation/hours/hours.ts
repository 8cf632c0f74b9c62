// PURE. The 12 hours in numbers: deliveries by the hour, lanes of a Gantt chart, what stands at the end of a curve.
import type { Progress, Trip } from '../progress'

const HOUR_MIN = 60

export interface Wave {
  done: number
  onTime: number
  late: number
  /** By the plan as it was approved. */
  planned: number
}

/** Deliveries that end within each hour from 0 to the deadline; later ones are in the last. */
export function waves(trips: Trip[], deadline_min: number): Wave[] {
  const hours = Array.from({ length: Math.ceil(deadline_min / HOUR_MIN) }, () => ({ done: 0, onTime: 0, late: 0, planned: 0 }))
  const hourOf = (minute: number) => hours[Math.min(hours.length - 1, Math.floor(minute / HOUR_MIN))]!
  for (const trip of trips) {
    for (const stop of trip.stops) {
      if (stop.loads) continue
      hourOf(stop.planned_end_min).planned += 1
      if (stop.end_min === null) continue
      const at = hourOf(stop.end_min ?? stop.planned_end_min)
      if (stop.done) at.done += 1
      else if (trip.state === 'on_time') at.onTime += 1
      else at.late += 1
    }
  }
  return hours
}

export interface Bar {
  lane: number
  from_min: number
  to_min: number
  kind: 'load' | 'drive' | 'unload'
  done: boolean
  trip: Trip
  stop: number
}
export interface Gantt {
  lanes: string[]
  bars: Bar[]
}
export type By = 'vehicles' | 'docks' | 'bays'
type Name = (one: { name_zh: string; name_en: string }) => string

/** What each vehicle does: on the way, loading, unloading (waiting for a dock included). */
function byVehicle(trips: Trip[]): Gantt {
  const lanes = [...new Set(trips.map((trip) => trip.vehicle))].sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
  const number = new Map(lanes.map((lane, at) => [lane, at]))
  const bars = trips.flatMap((trip) =>
    trip.stops.flatMap((stop, at): Bar[] => {
      const lane = number.get(trip.vehicle)!
      const [from, to] = [stop.arrive_min ?? stop.planned_arrive_min, stop.end_min ?? stop.planned_end_min]
      const before = trip.stops[at - 1]
      const here: Bar = { lane, from_min: from, to_min: to, kind: stop.loads ? 'load' : 'unload', done: stop.done, trip, stop: at }
      if (!before) return [here]
      const left = before.end_min ?? before.planned_end_min
      return [{ lane, from_min: left, to_min: from, kind: 'drive', done: stop.done, trip, stop: at }, here]
    }),
  )
  return { lanes, bars }
}

/** Who stands at which place when, as many lanes as stand there at once: docks (loading) or bays (unloading). */
function byPlace(trips: Trip[], loads: boolean, name: Name): Gantt {
  const places = new Map<string, { name: string; bars: Omit<Bar, 'lane'>[] }>()
  for (const trip of trips) {
    trip.stops.forEach((stop, at) => {
      if (stop.loads !== loads || stop.end_min === null) return
      const place = places.get(stop.place_id) ?? { name: name(stop), bars: [] }
      const [from_min, to_min] = [stop.arrive_min ?? stop.planned_arrive_min, stop.end_min ?? stop.planned_end_min]
      place.bars.push({ from_min, to_min, kind: loads ? 'load' : 'unload', done: stop.done, trip, stop: at })
      places.set(stop.place_id, place)
    })
  }
  const lanes: string[] = []
  const bars: Bar[] = []
  for (const place of [...places.values()].sort((a, b) => a.name.localeCompare(b.name))) {
    const free: number[] = [] // the minute from which each lane of this place is free
    const first = lanes.length
    for (const bar of place.bars.sort((a, b) => a.from_min - b.from_min)) {
      const found = free.findIndex((until) => until <= bar.from_min)
      const lane = found < 0 ? free.length : found
      free[lane] = bar.to_min
      bars.push({ ...bar, lane: first + lane })
    }
    lanes.push(...free.map((_, lane) => (free.length > 1 ? `${place.name} ${lane + 1}` : place.name)))
  }
  return { lanes, bars }
}

export function gantt(trips: Trip[], by: By, name: Name): Gantt {
  return by === 'vehicles' ? byVehicle(trips) : byPlace(trips, by === 'docks', name)
}

export const last = (curve: number[]): number => curve.at(-1) ?? 0

/** Points of a curve for a plot, [minute, people]; `from` leaves out what lies before a minute. */
export function pairs(minutes: number[], curve: number[], from = 0): [number, number][] {
  return curve.map((people, at): [number, number] => [minutes[at]!, people]).filter(([minute]) => minute >= from)
}

/** What a curve says at a minute: its value at the last minute that is not after it. */
export function at(progress: Progress, curve: number[], minute: number): number {
  let found = 0
  progress.minutes.forEach((one, number) => {
    if (one <= minute && number < curve.length) found = curve[number]!
  })
  return found
}
