// An incident on its way to being declared. It stays in this window's storage until it is, whatever happens to the page.
import { computed, reactive, watch } from 'vue'

import type { Directory } from '../directory'
import { fromLocal, localNow } from '../moments'
import type { Declaration } from '../types'
import { shareOut } from './sharing'

const KEPT = 'chubei.declaration'

export interface Draft {
  ids: { incident: string; callOut: string; suppliers: string }
  kind: Declaration['kind'] | ''
  level: number
  name: string
  place: string
  at: string
  exercise: boolean
  chosen: Record<string, boolean>
  people: Record<string, number>
  groups: Record<string, number> | null
  setting: 'any' | 'indoor' | 'outdoor'
  season: '' | 'any' | 'winter' | 'summer'
  opened: string[]
  leftOut: string[]
  crowded: boolean
  closures: { from: string; to: string }[]
  callOut: boolean
  vehicles: string[]
  suppliers: boolean
}

function fresh(district: Directory): Draft {
  const { subdistricts } = district
  const share = district.district?.duty_share ?? 0.01
  const total = Math.ceil(Number(((district.district?.residents ?? 0) * share).toFixed(6)))
  const people = shareOut(total, subdistricts.map((one) => one.residents))
  return {
    ids: { incident: crypto.randomUUID(), callOut: crypto.randomUUID(), suppliers: crypto.randomUUID() },
    ...{ kind: '', level: 0, name: '', place: '', at: localNow(), exercise: false },
    chosen: Object.fromEntries(subdistricts.map((one) => [one.id, true])),
    people: Object.fromEntries(subdistricts.map((one, at) => [one.id, people[at]!])),
    ...{ groups: null, setting: 'any', season: '', opened: [], leftOut: [], crowded: false, closures: [] },
    ...{ callOut: false, vehicles: [], suppliers: false },
  }
}

function kept(): Draft | null {
  try {
    return JSON.parse(sessionStorage.getItem(KEPT) ?? 'null') as Draft | null
  } catch {
    return null
  }
}

export function forget(): void {
  sessionStorage.removeItem(KEPT)
}

export function useDraft(directory: Directory) {
  const draft = reactive(kept() ?? fresh(directory))
  watch(draft, () => sessionStorage.setItem(KEPT, JSON.stringify(draft)))

  const chosen = computed(() => directory.subdistricts.filter((one) => draft.chosen[one.id]))
  const total = computed(() => chosen.value.reduce((sum, one) => sum + (draft.people[one.id] || 0), 0))
  /** By the district's shares, where nobody told otherwise. */
  const groups = computed(() => {
    const shares = Object.entries(directory.district?.group_shares ?? {})
    return draft.groups ?? Object.fromEntries(shares.map(([group, share]) => [group, Math.round(total.value * share)]))
  })
  const isOpen = (one: Directory['shelters'][number]) =>
    one.status === 'candidate' ? draft.opened.includes(one.id) : !draft.leftOut.includes(one.id)
  /** Each chosen sub-district with its people, shelters and the places in those that are open. */
  const rooms = computed(() =>
    chosen.value.map((one) => {
      const shelters = directory.shelters.filter((row) => row.subdistrict_id === one.id)
      const capacity = shelters.filter(isOpen).reduce((sum, row) => sum + row.capacity, 0)
      return { id: one.id, people: draft.people[one.id] || 0, shelters, capacity }
    }),
  )
  const crowded = computed(() => rooms.value.filter((room) => room.people > room.capacity))

  function declaration(): Declaration {
    const wanted = chosen.value.map((one) => draft.people[one.id] || 0)
    const told: Record<string, Record<string, number>> = {}
    for (const [group, count] of Object.entries(draft.groups ?? {}))
      shareOut(count || 0, wanted).forEach((share, at) => ((told[chosen.value[at]!.id] ??= {})[group] = share))
    return {
      id: draft.ids.incident,
      kind: draft.kind as Declaration['kind'],
      level: draft.level,
      name: draft.name,
      place: draft.place,
      occurred_at: fromLocal(draft.at),
      exercise: draft.exercise,
      people_by_subdistrict: Object.fromEntries(chosen.value.map((one, at) => [one.id, wanted[at]!])),
      groups_by_subdistrict: told,
      setting: draft.setting,
      season: draft.season || null,
      open_shelters: draft.opened,
      leave_out: draft.leftOut,
      crowded: draft.crowded,
      demands: [],
      closures: draft.closures.filter((way) => way.from && way.to).flatMap(({ from, to }): [string, string][] => [[from, to], [to, from]]),
    }
  }
  return { draft, chosen, total, groups, rooms, crowded, isOpen, declaration }
}
export type Drafting = ReturnType<typeof useDraft>
