// The map's layers, from the ground up. Every one draws from a source of the same name or of its prefix.
import type { ExpressionSpecification, LayerSpecification } from 'maplibre-gl'

import { COLOURS } from './icons'

export const SOURCES = [
  'areas', 'mask', 'outline', 'graticule', 'names', 'ways', 'closures', 'signs', 'points', 'places', 'route', 'vehicles',
] as const
export type SourceName = (typeof SOURCES)[number]

const FONT = ['sans-serif'] // drawn by the browser: no font is fetched
const HALO = { 'text-halo-color': '#ffffff', 'text-halo-width': 1.6 } as const
const AREAS = ['#d6e6f5', '#e6e0f2', '#dcefe2', '#f6e9d5', '#f3dfe3', '#dff0f0', '#ecebd9', '#e3e6f7']

/** Of a point, in px: its area goes by its people. */
const radius = (scale: number): ExpressionSpecification => [
  '*', scale, ['min', 18, ['+', 4, ['sqrt', ['/', ['get', 'people'], 5]]]],
]

/** `scale` makes signs and letters larger, for a wall. */
export function layers(scale: number): LayerSpecification[] {
  const text = (size: number) => ({ 'text-font': FONT, 'text-size': size * scale })
  return [
    {
      ...{ id: 'areas', type: 'fill', source: 'areas' },
      paint: { 'fill-color': ['to-color', ['at', ['%', ['get', 'number'], AREAS.length], ['literal', AREAS]]], 'fill-opacity': 0.75 },
    },
    {
      ...{ id: 'areas-line', type: 'line', source: 'areas' },
      paint: { 'line-color': '#8fa3b5', 'line-width': 1.2 * scale, 'line-dasharray': [4, 3] },
    },
    { id: 'mask', type: 'fill', source: 'mask', paint: { 'fill-color': COLOURS.ground, 'fill-opacity': 0.92 } },
    {
      ...{ id: 'graticule', type: 'line', source: 'graticule' },
      paint: { 'line-color': '#c3ccd5', 'line-width': 0.6, 'line-opacity': 0.8 },
    },
    {
      ...{ id: 'graticule-text', type: 'symbol', source: 'graticule' },
      layout: { 'symbol-placement': 'line', 'text-field': ['get', 'said'], 'symbol-spacing': 900, ...text(11) },
      paint: { 'text-color': '#5c6b7a', ...HALO },
    },
    {
      ...{ id: 'outline', type: 'line', source: 'outline' },
      paint: { 'line-color': '#5c6b7a', 'line-width': 1.6 * scale },
    },
    {
      ...{ id: 'names', type: 'symbol', source: 'names' },
      layout: { 'text-field': ['get', 'name'], 'text-letter-spacing': 0.1, ...text(12) },
      paint: { 'text-color': '#66758a', ...HALO },
    },
    {
      ...{ id: 'ways', type: 'line', source: 'ways' },
      paint: {
        'line-color': '#0b5cad',
        'line-width': ['*', scale, ['case', ['>', ['get', 'now'], 0], 2.5, ['min', 3, ['*', 0.5, ['get', 'all']]]]],
        'line-opacity': ['case', ['>', ['get', 'now'], 0], 0.7, 0.08],
      },
    },
    {
      ...{ id: 'closures', type: 'line', source: 'closures' },
      paint: { 'line-color': COLOURS.closed, 'line-width': 2.5 * scale, 'line-dasharray': [2, 1.5] },
    },
    {
      ...{ id: 'route', type: 'line', source: 'route', layout: { 'line-cap': 'round' } },
      paint: {
        'line-color': '#0b2f57',
        'line-width': 5 * scale,
        'line-opacity': ['match', ['get', 'part'], 'behind', 1, 0.35],
      },
    },
    {
      ...{ id: 'points', type: 'circle', source: 'points' },
      paint: {
        'circle-radius': radius(scale),
        'circle-color': ['interpolate', ['linear'], ['get', 'share'], 0, '#ffffff', 1, '#2c8a55'],
        'circle-stroke-color': ['get', 'rim'],
        'circle-stroke-width': 2.5 * scale,
      },
    },
    {
      ...{ id: 'points-text', type: 'symbol', source: 'points' },
      layout: {
        'text-field': ['format', ['get', 'name'], {}, '\n', {}, ['get', 'count'], { 'font-scale': 0.9 }],
        'text-variable-anchor': ['top', 'bottom', 'left', 'right'],
        'text-radial-offset': ['+', 0.4, ['/', radius(1), 12]],
        'symbol-sort-key': ['-', ['get', 'people']],
        ...text(12),
      },
      paint: { 'text-color': '#1c2733', ...HALO },
    },
    {
      ...{ id: 'places', type: 'symbol', source: 'places' },
      layout: {
        'icon-image': ['get', 'sign'],
        'icon-size': scale,
        'icon-allow-overlap': true,
        'text-field': ['get', 'name'],
        'text-optional': true,
        'text-variable-anchor': ['left', 'right', 'top', 'bottom'],
        'text-radial-offset': 1.2,
        'symbol-sort-key': ['match', ['get', 'sign'], 'store', 0, 1],
        ...text(13),
      },
      paint: { 'text-color': '#1c2733', ...HALO },
    },
    {
      ...{ id: 'vehicles', type: 'symbol', source: 'vehicles' },
      layout: {
        'icon-image': ['get', 'sign'],
        'icon-rotate': ['get', 'bearing'],
        'icon-rotation-alignment': 'map',
        'icon-size': scale,
        'icon-allow-overlap': true,
        'icon-ignore-placement': true,
      },
    },
    {
      ...{ id: 'signs', type: 'symbol', source: 'signs' },
      layout: { 'icon-image': 'closed', 'icon-size': 0.8 * scale, 'icon-allow-overlap': true },
    },
    {
      // not seen: keeps letters off the circles, which by themselves keep nothing off
      ...{ id: 'points-shade', type: 'symbol', source: 'points' },
      layout: { 'icon-image': 'blank', 'icon-size': ['/', radius(scale), 11], 'icon-allow-overlap': true },
    },
  ]
}

/** What people may switch off, and the layers that go with it. */
export const GROUPS = {
  areas: ['areas', 'areas-line'],
  places: ['places'],
  points: ['points', 'points-text', 'points-shade'],
  ways: ['ways'],
  vehicles: ['vehicles'],
  closures: ['closures', 'signs'],
  grid: ['graticule', 'graticule-text'],
} as const
export type Group = keyof typeof GROUPS

/** Layers whose things can be chosen, the topmost first. */
export const CHOOSABLE = ['vehicles', 'places', 'points'] as const
