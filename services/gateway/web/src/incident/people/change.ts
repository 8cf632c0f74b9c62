// PURE. A change as its form says it.
import type { components } from '../../api/schema'

export type Change = components['schemas']['Amendment']['change']
export const KINDS = [
  'people', 'groups', 'level', 'conditions', 'shelters_opened', 'shelters_closed', 'shelter_delayed', 'closures',
  'demand_added', 'demand_removed',
] as const // prettier-ignore

/** So many units of an item at a shelter, or at a place of this incident only. */
export interface Wanted {
  /** A shelter's id; empty: the place that is named. */
  at: string
  name: string
  lon: number | ''
  lat: number | ''
  item: string
  units: number
  by: number
  worth: number
}
interface Form {
  where: string
  people: number
  level: number
  groups: Record<string, number>
  setting: string
  season: string
  shelter: string
  opens: number
  from: string
  to: string
  passable: string
  crowded: boolean
  demand: string
  wanted: Wanted
}

export function changeOf(kind: (typeof KINDS)[number] | 'ended' | 'reopened', form: Form, subdistricts: string[]): Change {
  const at = <T>(told: T) => (subdistricts.includes(form.where) ? { by_subdistrict: { [form.where]: told } } : { by_shelter: { [form.where]: told } })
  switch (kind) {
    case 'people':
      return { kind, crowded: form.crowded, ...at(form.people) }
    case 'groups':
      return { kind, ...at({ ...form.groups }) }
    case 'level':
      return { kind, level: form.level }
    case 'conditions':
      return { kind, setting: (form.setting || null) as never, season: (form.season || null) as never }
    case 'shelters_opened':
      return { kind, shelter_ids: [form.shelter] }
    case 'shelters_closed':
      return { kind, shelter_ids: [form.shelter], crowded: form.crowded }
    case 'shelter_delayed':
      return { kind, shelter_id: form.shelter, opens_min: form.opens }
    case 'closures': {
      const open = form.passable ? [form.passable.split('>') as [string, string]] : []
      const shut: [string, string][] = form.from && form.to ? [[form.from, form.to], [form.to, form.from]] : []
      return { kind, closed: shut, passable: open }
    }
    case 'demand_added':
      return { kind, demand: demandOf(form.wanted) }
    case 'demand_removed':
      return { kind, demand_id: form.demand }
    default:
      return { kind }
  }
}

function demandOf({ at, name, lon, lat, item, units, by, worth }: Wanted): Extract<Change, { kind: 'demand_added' }>['demand'] {
  const told = { id: idOf([at, name, item, units, by]), item_code: item, units, by_min: by, worth }
  if (at) return { ...told, shelter_id: at, site: null }
  const site = { id: idOf([name, lon, lat]), name_zh: name, name_en: name, lon: Number(lon), lat: Number(lat) }
  return { ...told, shelter_id: null, site: { ...site, bays: 1, unload_fixed_min: 10, unload_kg_per_min: 60, max_size: 99 } }
}

/** The same content has the same id, so that trying again is the same demand. FNV-1a, 32 bits. */
function idOf(content: unknown[]): string {
  let hash = 0x811c9dc5
  for (const byte of new TextEncoder().encode(JSON.stringify(content))) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0
  return `D${hash.toString(16).padStart(8, '0')}`
}
