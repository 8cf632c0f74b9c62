// PURE. Which store is nearest, drawn as areas; and the outline of a district that nobody has drawn.
import { Delaunay } from 'd3-delaunay'
import type { Feature, MultiPolygon, Polygon, Position } from 'geojson'

export interface Site {
  id: string
  name: string
  lon: number
  lat: number
}
type Box = [number, number, number, number]

/** The box around positions, wider by `margin` of its longer side: west, south, east, north. */
export function boxOf(positions: Position[], margin: number): Box {
  const lons = positions.map((one) => one[0]!)
  const lats = positions.map((one) => one[1]!)
  const [west, east, south, north] = [Math.min(...lons), Math.max(...lons), Math.min(...lats), Math.max(...lats)]
  const wider = Math.max(east - west, north - south, 0.005) * margin
  return [west - wider, south - wider, east + wider, north + wider]
}

/** For each site the part of the box that is nearer to it than to any other, as the crow flies. */
export function areasOf(sites: Site[], box: Box): Feature<Polygon>[] {
  if (!sites.length) return []
  const squeeze = Math.cos(((box[1] + box[3]) / 2) * (Math.PI / 180)) // a degree eastward is shorter
  const cells = Delaunay.from(sites.map((site): [number, number] => [site.lon * squeeze, site.lat])).voronoi([
    box[0] * squeeze, box[1], box[2] * squeeze, box[3],
  ])
  return sites.flatMap((site, number) => {
    const cell = cells.cellPolygon(number) as [number, number][] | null
    if (!cell) return [] // two sites at one place
    const ring = cell.map(([x, y]) => [x / squeeze, y])
    const properties = { id: site.id, name: site.name, number }
    return [{ type: 'Feature', properties, geometry: { type: 'Polygon', coordinates: [ring] } } as Feature<Polygon>]
  })
}

/** A rounded line around all positions: what is shown while no outline was loaded. */
export function hullOf(positions: Position[], margin: number): Position[] {
  const [west, south, east, north] = boxOf(positions, 0)
  const reach = Math.max(east - west, north - south, 0.005) * margin
  const squeeze = Math.cos((((south + north) / 2) * Math.PI) / 180)
  const around = positions.flatMap(([lon, lat]) =>
    Array.from({ length: 24 }, (_, step): [number, number] => {
      const angle = (step / 24) * 2 * Math.PI
      return [lon! + (reach * Math.cos(angle)) / squeeze, lat! + reach * Math.sin(angle)]
    }),
  )
  const hull = [...Delaunay.from(around).hull].map((number) => around[number]!)
  return hull.length ? [...hull, hull[0]!] : []
}

/** The whole world but what lies within the outline, to be laid over what is outside of it. */
export function outside(outline: Feature<Polygon | MultiPolygon>[] | Position[]): Feature<Polygon> {
  const world = [[-180, -85], [180, -85], [180, 85], [-180, 85], [-180, -85]]
  const holes = isRing(outline) ? [outline] : outline.flatMap((one) => outerRings(one.geometry))
  return { type: 'Feature', properties: {}, geometry: { type: 'Polygon', coordinates: [world, ...holes] } }
}

function isRing(outline: Feature<Polygon | MultiPolygon>[] | Position[]): outline is Position[] {
  return Array.isArray(outline[0])
}

export function outerRings(geometry: Polygon | MultiPolygon): Position[][] {
  return geometry.type === 'Polygon' ? geometry.coordinates.slice(0, 1) : geometry.coordinates.map((one) => one[0]!)
}
