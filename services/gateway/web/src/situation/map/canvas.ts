// MapLibre, as the map page uses it. Its worker is a file of ours, so that the policy needs neither blob: nor eval.
import type { FeatureCollection, Feature } from 'geojson'
import { type GeoJSONSource, Map as Drawn, NavigationControl, ScaleControl, setWorkerUrl, type LngLatBoundsLike } from 'maplibre-gl'
import 'maplibre-gl/dist/maplibre-gl.css'
import workerUrl from 'maplibre-gl/dist/maplibre-gl-worker.mjs?url'

import type { Shape } from '../../api/client'
import { groundOf } from './ground'
import { icons } from './icons'
import { CHOOSABLE, GROUPS, layers, SOURCES, type Group, type SourceName } from './layers'

setWorkerUrl(workerUrl)

export interface Chosen {
  kind: (typeof CHOOSABLE)[number]
  id: string
}
interface Hands {
  choose: (chosen: Chosen | null) => void
  /** Where the pointer is, in degrees. */
  over: (lon: number, lat: number) => void
}
export interface Canvas {
  draw: (source: SourceName, what: FeatureCollection | Feature) => void
  show: (group: Group, shown: boolean) => void
  fit: (box: LngLatBoundsLike) => void
  goTo: (lon: number, lat: number) => void
  remove: () => void
}

const NOTHING: FeatureCollection = { type: 'FeatureCollection', features: [] }
const REACH_PX = 8

/** A map in `element`, ready to be drawn on. */
export async function canvasIn(element: HTMLElement, tiles: Shape<'MapTiles'> | null, hands: Hands): Promise<Canvas> {
  const scale = window.innerWidth >= 3600 ? 2.2 : window.innerWidth >= 2400 ? 1.7 : 1
  const map = new Drawn({
    container: element,
    style: await groundOf(tiles),
    center: [116.37, 39.91],
    zoom: 11,
    maxPitch: 0,
    dragRotate: false,
    attributionControl: tiles?.attribution ? { compact: true } : false,
    fadeDuration: 0,
    pixelRatio: Math.min(2, window.devicePixelRatio),
  })
  map.touchZoomRotate.disableRotation()
  map.addControl(new NavigationControl({ showCompass: false }), 'bottom-right')
  map.addControl(new ScaleControl({ unit: 'metric' }), 'bottom-left')
  await map.once('load')
  for (const [name, image] of Object.entries(icons())) map.addImage(name, image, { pixelRatio: 2 })
  for (const source of SOURCES) map.addSource(source, { type: 'geojson', data: NOTHING })
  for (const layer of layers(scale)) map.addLayer(layer)

  const at = ({ x, y }: { x: number; y: number }): Chosen | null => {
    const box: [[number, number], [number, number]] = [[x - REACH_PX, y - REACH_PX], [x + REACH_PX, y + REACH_PX]]
    for (const kind of CHOOSABLE) {
      const [found] = map.queryRenderedFeatures(box, { layers: [kind] })
      if (found) return { kind, id: String(found.properties.id) }
    }
    return null
  }
  map.on('click', (event) => hands.choose(at(event.point)))
  map.on('mousemove', (event) => {
    hands.over(event.lngLat.lng, event.lngLat.lat)
    map.getCanvas().style.cursor = at(event.point) ? 'pointer' : ''
  })
  return {
    draw: (source, what) => (map.getSource(source) as GeoJSONSource).setData(what),
    show: (group, shown) => {
      for (const layer of GROUPS[group]) map.setLayoutProperty(layer, 'visibility', shown ? 'visible' : 'none')
    },
    fit: (box) => map.fitBounds(box, { padding: 40 * scale, animate: false, maxZoom: 16 }),
    goTo: (lon, lat) => map.easeTo({ center: [lon, lat], zoom: Math.max(map.getZoom(), 13.5) }),
    remove: () => map.remove(),
  }
}
