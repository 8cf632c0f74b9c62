// PURE. Where a trip is, by what was last reported and how long its way takes.
import type { Trip, TripStop } from '../progress'

export interface Spot {
  lon: number
  lat: number
  /** Where it heads, in degrees from north; none: it stands. */
  bearing: number | null
}
const LEAST = 0.04 // it has left, and has not arrived until somebody says so
const MOST = 0.96

/** Where it is at a minute; null where a place of it is not known. */
export function spotOf(trip: Trip, minute: number): Spot | null {
  const to = trip.stops[trip.stop]
  if (!to) return null
  const from = trip.stops[trip.stop - 1]
  if (trip.where !== 'on_the_way' || !from) return standing(to)
  if (from.lon == null || from.lat == null || to.lon == null || to.lat == null) return standing(to)
  const left = from.end_min ?? from.planned_end_min
  const due = to.arrive_min ?? to.planned_arrive_min
  const share = Math.min(MOST, Math.max(LEAST, (minute - left) / Math.max(1, due - left)))
  return {
    lon: from.lon + (to.lon - from.lon) * share,
    lat: from.lat + (to.lat - from.lat) * share,
    bearing: bearingOf([from.lon, from.lat], [to.lon, to.lat]),
  }
}

function standing(stop: TripStop): Spot | null {
  return stop.lon == null || stop.lat == null ? null : { lon: stop.lon, lat: stop.lat, bearing: null }
}

/** Degrees from north of the straight way; good enough over a district. */
export function bearingOf([lon, lat]: [number, number], [toLon, toLat]: [number, number]): number {
  const east = (toLon - lon) * Math.cos((lat * Math.PI) / 180)
  return ((Math.atan2(east, toLat - lat) * 180) / Math.PI + 360) % 360
}
