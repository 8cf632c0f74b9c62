// What the map is drawn on: a plain ground, or the tiles that the house has set.
import { addProtocol, type LayerSpecification, type SourceSpecification, type StyleSpecification } from 'maplibre-gl'
import { PMTiles, Protocol } from 'pmtiles'

import type { Shape } from '../../api/client'
import { COLOURS } from './icons'

type Tiles = Shape<'MapTiles'>
const TILE_PX = 256
const archives = new Protocol()
let known = false

export async function groundOf(tiles: Tiles | null): Promise<StyleSpecification> {
  const style: StyleSpecification = {
    version: 8,
    sources: {},
    layers: [{ id: 'ground', type: 'background', paint: { 'background-color': COLOURS.ground } }],
  }
  if (tiles?.kind === 'xyz') {
    tiles.urls.forEach((url, number) => add(style, `tiles-${number}`, rasters([url], tiles.attribution)))
  } else if (tiles?.kind === 'pmtiles') {
    await addArchive(style, new URL(tiles.urls[0]!, location.href).href)
  }
  return style
}

function rasters(urls: string[], attribution: string): SourceSpecification {
  return { type: 'raster', tiles: urls, tileSize: TILE_PX, attribution }
}

function add(style: StyleSpecification, id: string, source: SourceSpecification): void {
  style.sources[id] = source
  style.layers.push({ id, type: 'raster', source: id, paint: { 'raster-saturation': -0.6, 'raster-opacity': 0.85 } })
}

/** A PMTiles archive of pictures, or of shapes: these are drawn plainly, whatever their layers are called. */
async function addArchive(style: StyleSpecification, url: string): Promise<void> {
  if (!known) addProtocol('pmtiles', archives.tile)
  known = true
  const archive = new PMTiles(url)
  archives.add(archive)
  const { tileType } = await archive.getHeader()
  if (tileType !== 1) return add(style, 'archive', { type: 'raster', url: `pmtiles://${url}`, tileSize: TILE_PX })
  style.sources.archive = { type: 'vector', url: `pmtiles://${url}` }
  const found = (await archive.getMetadata()) as { vector_layers?: { id: string }[] }
  for (const { id } of found.vector_layers ?? []) style.layers.push(...plainly(id))
}

function plainly(layer: string): LayerSpecification[] {
  const from = { source: 'archive', 'source-layer': layer } as const
  return [
    {
      ...{ id: `archive-${layer}-area`, type: 'fill', ...from, filter: ['==', ['geometry-type'], 'Polygon'] },
      paint: { 'fill-color': /water/.test(layer) ? '#c9dcea' : '#e2e7ec', 'fill-opacity': 0.5 },
    },
    {
      ...{ id: `archive-${layer}-line`, type: 'line', ...from, filter: ['==', ['geometry-type'], 'LineString'] },
      paint: { 'line-color': '#b7c1cb', 'line-width': 1 },
    },
  ]
}
