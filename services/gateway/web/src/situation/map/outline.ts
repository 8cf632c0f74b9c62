// Outlines that the map shows: those that the gateway has for everyone, or a GeoJSON file that somebody loads, which
// then stays on this device.
import type { Feature, FeatureCollection, Geometry, MultiPolygon, Polygon } from 'geojson'
import { openDB } from 'idb'

export type Area = Feature<Polygon | MultiPolygon>
const MOST_BYTES = 5_000_000

const opened = () => openDB('chubei-map', 1, { upgrade: (db) => void db.createObjectStore('kept') })

export async function keptOutline(): Promise<Area[]> {
  return ((await (await opened()).get('kept', 'outline')) as Area[] | undefined) ?? []
}

export async function keepOutline(areas: Area[]): Promise<void> {
  await (await opened()).put('kept', areas, 'outline')
}

/** The gateway's; none where it has none or can not be reached. */
export async function sharedOutline(): Promise<Area[]> {
  const answer = await fetch('/v1/map/outline').catch(() => null)
  return answer?.ok ? areasIn(await answer.json()) : []
}

/** The areas of a file. Throws RangeError where it is too large, SyntaxError where it is no GeoJSON with areas. */
export async function readOutline(file: File): Promise<Area[]> {
  if (file.size > MOST_BYTES) throw new RangeError()
  const areas = areasIn(JSON.parse(await file.text()))
  if (!areas.length) throw new SyntaxError()
  return areas
}

function areasIn(found: unknown): Area[] {
  const one = found as FeatureCollection | Feature | Geometry | null
  const features: Feature[] =
    one?.type === 'FeatureCollection'
      ? one.features
      : one?.type === 'Feature'
        ? [one]
        : one
          ? [{ type: 'Feature', properties: {}, geometry: one as Geometry }]
          : []
  return features.filter(isArea)
}

function isArea(feature: Feature): feature is Area {
  const geometry = feature?.geometry
  if (geometry?.type !== 'Polygon' && geometry?.type !== 'MultiPolygon') return false
  const rings = geometry.type === 'Polygon' ? geometry.coordinates : geometry.coordinates?.flat()
  return Array.isArray(rings) && rings.length > 0 && rings.every((ring) => ring.length > 3 && ring.every(onEarth))
}

function onEarth(position: unknown): boolean {
  const [lon, lat] = Array.isArray(position) ? (position as number[]) : []
  return Math.abs(lon ?? NaN) <= 180 && Math.abs(lat ?? NaN) <= 90
}
