// What items and places are called. Asked of the services once, when a page needs it.
import { ref } from 'vue'

import { api, told } from '../api/client'
import type { components } from '../api/schema'
import { either } from '../i18n'
import { unitName } from '../i18n/units'

type Item = components['schemas']['Item']
type Place = components['schemas']['Place']
interface Answer<Row> {
  rows: Row[]
  next_cursor?: string | null
}

const items = ref(new Map<string, Item>())
const places = ref(new Map<string, Place>())

/** All rows of a list that comes in pages. */
export async function allOf<Row>(page: (cursor: string | undefined) => Promise<Answer<Row>>): Promise<Row[]> {
  const rows: Row[] = []
  let cursor: string | null | undefined
  do {
    const answer = await page(cursor ?? undefined)
    rows.push(...answer.rows)
    cursor = answer.next_cursor
  } while (cursor)
  return rows
}

/** Ask for the catalogue and the places, again if told so. Raises Problem. */
export async function learnNames(again = false): Promise<void> {
  if (items.value.size && !again) return
  const [goods, sites] = await Promise.all([
    allOf((cursor) => told(api.GET('/v1/items', { params: { query: { cursor, limit: 500 } } }))),
    allOf((cursor) => told(api.GET('/v1/places', { params: { query: { cursor, limit: 500 } } }))),
  ])
  items.value = new Map(goods.map((one) => [one.code, one]))
  places.value = new Map(sites.map((one) => [one.id, one]))
}

interface Named {
  name_zh: string
  name_en: string
}

/** What the services say, with what they name by code called by its name, where that is known. */
export function spoken(text: string, known = (code: string): Named | undefined => items.value.get(code) ?? places.value.get(code)): string {
  return text.replace(/[A-Za-z0-9]+(?:[-_.#][A-Za-z0-9]+)*/g, (code) => {
    const found = /[\d-]/.test(code) ? known(code) : undefined // a mere word is no code
    return found ? either(found.name_zh, found.name_en) : code
  })
}

export function useNames() {
  const named = (one: Named | undefined, otherwise: string) =>
    one ? either(one.name_zh, one.name_en) : otherwise
  return {
    items,
    places,
    item: (code: string) => named(items.value.get(code), code),
    unit: (code: string, count?: number) => unitName(items.value.get(code)?.unit_zh ?? '', count),
    place: (id: string) => named(places.value.get(id), id),
  }
}
