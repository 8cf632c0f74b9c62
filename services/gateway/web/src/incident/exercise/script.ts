// PURE. A script: what it brings at which minute; from a file, from the district, and as a line to read.
import type { Directory } from '../directory'
import type { Change } from '../people/change'
import type { What } from '../deviations/what'
import type { OpenExercise } from '../types'

export type Script = NonNullable<OpenExercise['script']>
export type Inject = Script[number]

export const injectOf = {
  deviation: (what: What): Inject['do'] => ({ kind: 'deviation', what }),
  amendment: (change: Change): Inject['do'] => ({ kind: 'amendment', change }),
}

/** A common night, to begin from: a store is lost, a road closes, more people come. Empty without a district. */
export function commonNight(district: Directory, people: Record<string, number>, isStore: (place: string) => boolean, words: Words): Script {
  const store = district.sites.find((one) => isStore(one.place_id))?.place_id
  const other = district.sites.find((one) => isStore(one.place_id) && one.place_id !== store)?.place_id
  const [place, count] = Object.entries(people).sort((a, b) => b[1] - a[1])[0] ?? []
  const shelter = district.shelters.find((one) => one.subdistrict_id === place)?.id
  const script: Script = []
  if (store && other) script.push({ at_min: 45, say: words.lost(store), do: injectOf.deviation({ kind: 'place_lost', place_id: store }) })
  if (other && shelter)
    script.push({ at_min: 90, say: words.closed(other, shelter), do: injectOf.deviation({ kind: 'way_closed', from_id: other, to_id: shelter, one_way: false }) })
  if (place && count) {
    const more = Math.ceil(count * 1.25)
    const change: Change = { kind: 'people', by_subdistrict: { [place]: more }, by_shelter: {}, crowded: true }
    script.push({ at_min: 120, say: words.more(place, more - count), do: injectOf.amendment(change) })
  }
  return script
}
export interface Words {
  lost(place: string): string
  closed(from: string, to: string): string
  more(place: string, people: number): string
}

/** What a file holds: a list of injects, or an object with one. Raises SyntaxError, or TypeError where it is none. */
export function fromFile(text: string): Script {
  const held: unknown = JSON.parse(text)
  const rows: unknown = Array.isArray(held) ? held : (held as { script?: unknown } | null)?.script
  const isInject = (row: unknown): row is Inject =>
    !!row && typeof row === 'object' && typeof (row as Inject).at_min === 'number' && typeof (row as Inject).do === 'object'
  if (!Array.isArray(rows) || !rows.every(isInject)) throw new TypeError('not a script')
  return rows
}
