// PURE. What the map draws, as GeoJSON: places and points, ways, trips, closures.
import type { Feature, FeatureCollection, LineString, Point as Dot } from 'geojson'

import type { Shape } from '../../api/client'
import type { Point, Progress, Trip } from '../progress'
import { bearingOf, spotOf } from './along'
import { COLOURS } from './icons'

export type Place = Shape<'Place'> & { lon: number; lat: number }
export type PlaceSign = 'store' | 'supplier' | 'maker'
export type PointRow = Point
type Named = { name_zh: string; name_en: string }
type Name = (one: Named) => string

const SIGNS: Partial<Record<string, PlaceSign>> = {
  store: 'store',
  special: 'store',
  street: 'store',
  donation: 'store',
  supplier: 'supplier',
  maker: 'maker',
}

export const signOf = (place: Shape<'Place'>): PlaceSign | null => SIGNS[place.kind] ?? null

const collect = <G extends Dot | LineString>(features: Feature<G>[]): FeatureCollection<G> => ({
  type: 'FeatureCollection',
  features,
})
const dot = (lon: number, lat: number, properties: object): Feature<Dot> => ({
  type: 'Feature',
  properties,
  geometry: { type: 'Point', coordinates: [lon, lat] },
})
const line = (coordinates: [number, number][], properties: object): Feature<LineString> => ({
  type: 'Feature',
  properties,
  geometry: { type: 'LineString', coordinates },
})

export function places(rows: Place[], name: Name): FeatureCollection<Dot> {
  return collect(rows.map((row) => dot(row.lon, row.lat, { id: row.id, sign: signOf(row), name: name(row) })))
}

/** The share of a point's people who have all of basic relief now. */
export function shareNow(point: Point): number {
  return point.people ? (point.actual.at(-1) ?? 0) / point.people : 1
}
export function isShort(point: Point): boolean {
  return (point.forecast.at(-1) ?? 0) < point.people
}

export function points(rows: Point[], name: Name, count: (point: Point) => string): FeatureCollection<Dot> {
  return collect(
    rows.map((row) =>
      dot(row.lon, row.lat, {
        id: row.shelter_id,
        name: name(row),
        count: count(row),
        people: row.people,
        share: shareNow(row),
        rim: isShort(row) ? COLOURS.short : COLOURS.served,
      }),
    ),
  )
}

export type TripSign = 'on_time' | 'late' | 'broken'
export function tripSign(trip: Trip): TripSign {
  if (trip.state === 'impossible' || trip.state === 'cut_short') return 'broken'
  return trip.state === 'late' || trip.overdue ? 'late' : 'on_time'
}

/** The trips that are on their way. */
export function vehicles(trips: Trip[], minute: number): FeatureCollection<Dot> {
  return collect(
    trips.flatMap((trip) => {
      const spot = trip.where === 'on_the_way' ? spotOf(trip, minute) : null
      if (!spot) return []
      return [dot(spot.lon, spot.lat, { id: trip.order_id, sign: tripSign(trip), bearing: spot.bearing ?? 0 })]
    }),
  )
}

/** Each way that trips take, once: how many take it in all, and how many are on it now. */
export function ways(trips: Trip[]): FeatureCollection<LineString> {
  const found = new Map<string, { ends: [number, number][]; all: number; now: number }>()
  for (const trip of trips) {
    trip.stops.forEach((to, number) => {
      const from = trip.stops[number - 1]
      if (from?.lon == null || from.lat == null || to.lon == null || to.lat == null) return
      const key = `${from.place_id}>${to.place_id}`
      const way = found.get(key) ?? { ends: [[from.lon, from.lat], [to.lon, to.lat]], all: 0, now: 0 }
      way.all += 1
      if (trip.where === 'on_the_way' && trip.stop === number) way.now += 1
      found.set(key, way)
    })
  }
  return collect([...found.values()].map(({ ends, all, now }) => line(ends, { all, now })))
}

/** One trip's whole way, what is behind it and what is before it. */
export function route(trip: Trip | null, minute: number): FeatureCollection<LineString> {
  if (!trip) return collect<LineString>([])
  const spot = spotOf(trip, minute)
  const known = trip.stops.filter((stop) => stop.lon != null && stop.lat != null)
  const at = (stop: Trip['stops'][number]): [number, number] => [stop.lon!, stop.lat!]
  const reached = trip.where === 'on_the_way' ? trip.stop : trip.stop + 1
  const behind = known.filter((stop) => stop.stop < reached).map(at)
  const before = known.filter((stop) => stop.stop >= reached).map(at)
  const here: [number, number][] = spot ? [[spot.lon, spot.lat]] : []
  return collect([
    line([...behind, ...here], { part: 'behind' }),
    line([...here, ...before], { part: 'before' }),
  ].filter((one) => one.geometry.coordinates.length > 1))
}

export interface Closure {
  from: string
  to: string
}
/** Closed ways as lines and, in the middle of each, where its sign stands; both directions are one. */
export function closures(
  rows: Closure[],
  where: Map<string, [number, number]>,
): { lines: FeatureCollection<LineString>; signs: FeatureCollection<Dot> } {
  const once = new Map(rows.map((row) => [[row.from, row.to].sort().join('|'), row]))
  const lines = [...once.values()].flatMap(({ from, to }) => {
    const [a, b] = [where.get(from), where.get(to)]
    return a && b ? [line([a, b], { id: `${from}|${to}`, turn: bearingOf(a, b) })] : []
  })
  const signs = lines.map(({ geometry, properties }) => {
    const [a, b] = geometry.coordinates as [[number, number], [number, number]]
    return dot((a[0] + b[0]) / 2, (a[1] + b[1]) / 2, properties ?? {})
  })
  return { lines: collect(lines), signs: collect(signs) }
}

/** Lines of round coordinates over a box, four to eight each way. */
export function graticule([west, south, east, north]: [number, number, number, number]): FeatureCollection<LineString> {
  const step = [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2].find((one) => (east - west) / one <= 8) ?? 5
  const along = (from: number, to: number) =>
    Array.from({ length: Math.floor(to / step) - Math.ceil(from / step) + 1 }, (_, n) => (Math.ceil(from / step) + n) * step)
  const said = (value: number, signs: string) => `${Math.abs(value).toFixed(step < 0.01 ? 3 : 2)}°${signs[value < 0 ? 1 : 0]}`
  return collect([
    ...along(west, east).map((lon) => line([[lon, south], [lon, north]], { said: said(lon, 'EW') })),
    ...along(south, north).map((lat) => line([[west, lat], [east, lat]], { said: said(lat, 'NS') })),
  ])
}

/** Where every place and point is, by id. */
export function positions(rows: Place[], shown: Progress | null): Map<string, [number, number]> {
  const known = new Map<string, [number, number]>(rows.map((row) => [row.id, [row.lon, row.lat]]))
  for (const point of shown?.points ?? []) known.set(point.shelter_id, [point.lon, point.lat])
  return known
}
