// The clerk at work: who has opened the device, what it knows, what was done, and the sending of it.
import { computed, ref, shallowRef, watch } from 'vue'

import { api, told } from '../api/client'
import { useSession } from '../session/session'
import { offset_ms } from './device/clock'
import type { Kit, KitItem } from './device/kit'
import type { KitLot } from './device/lots'
import type { Open } from './device/vault'
import { type Entry, isUnsent, kitOf, read, takenAt, writeDown } from './outbox/entries'
import type { Draft } from './outbox/movements'
import { type Hindrance, sync } from './outbox/sender'
import type { Taken } from './picking/picks'

const IDLE_MS = 10 * 60_000
const FRESH_MS = 60_000
const FIRST_PAUSE_MS = 5_000
const LONGEST_PAUSE_MS = 5 * 60_000
const PLACE = 'chubei.place'

const mine = shallowRef<Open | null>(null)
const place_id = ref('')
const kit = shallowRef<Kit | null>(null)
const entries = shallowRef<Entry[]>([])
const taken = shallowRef<Taken>({})
const sending = ref(false)
const hindrance = ref<Hindrance | null>(null)
const persisted = ref<boolean | null>(null)

let pause_ms = FIRST_PAUSE_MS
let askedAgain = false
let timer: ReturnType<typeof setTimeout> | undefined
let idle: ReturnType<typeof setTimeout> | undefined
const others = new BroadcastChannel('chubei.clerk')
others.onmessage = () => void reread()
watch(useSession().person, (now) => {
  if (now?.username !== mine.value?.person.username) lock()
})

/** Begin to work with an opened vault. */
export async function begin(opened: Open): Promise<void> {
  mine.value = opened
  const places = opened.person.places
  const last = localStorage.getItem(PLACE) ?? ''
  place_id.value = places.includes(last) ? last : (places[0] ?? '')
  hindrance.value = null
  await reread()
  persisted.value = (await navigator.storage?.persist?.()) ?? null
  stir()
  void send()
}

/** The key leaves the memory; what was done stays on the device. */
export function lock(): void {
  mine.value = null
  kit.value = null
  entries.value = []
  clearTimeout(timer)
  clearTimeout(idle)
}

/** Somebody is here. */
export function stir(): void {
  clearTimeout(idle)
  if (mine.value) idle = setTimeout(lock, IDLE_MS)
}
for (const event of ['pointerdown', 'keydown'] as const) addEventListener(event, stir, { passive: true })
addEventListener('online', () => {
  pause_ms = FIRST_PAUSE_MS
  void send()
})
addEventListener('visibilitychange', () => document.visibilityState === 'visible' && void send())

async function reread(): Promise<void> {
  const who = mine.value
  if (!who) return
  const at = place_id.value
  const [found, done, picked] = await Promise.all([kitOf(who, at), read(who), takenAt(who, at)])
  if (mine.value !== who || place_id.value !== at) return
  kit.value = found
  entries.value = done
  taken.value = picked
}

export async function moveTo(place: string): Promise<void> {
  place_id.value = place
  localStorage.setItem(PLACE, place)
  await reread()
}

/** Write down what was done; when this returns it is on the disk, and shown. */
export function record(...drafts: Draft[]): Promise<Entry[]> {
  return write(drafts)
}

async function write(drafts: Draft[], now?: Taken): Promise<Entry[]> {
  const who = mine.value
  if (!who) throw new Error('the device is locked')
  const picked = now && { place_id: place_id.value, taken: now }
  const written = await writeDown(who, drafts, Date.now(), offset_ms.value ?? 0, picked)
  entries.value = [...entries.value, ...written]
  if (now) taken.value = now
  others.postMessage('written')
  plan(300)
  return written
}

/** Take back what was just done, by its mirror image. The line of a short pick is open again with it. */
export function undo(entry: Entry, reason: string): Promise<Entry[]> {
  const { id, draft, changes } = entry
  const reverses = { id, kind: draft.kind, changes }
  const mirror: Draft = { kind: 'reverse', place_id: draft.place_id, lot: undefined, units: draft.units, reason, reverses }
  const { pick, lot } = draft
  if (!pick || !lot || draft.place_id !== place_id.value) return record(mirror)
  const { [lot.id]: _, ...others } = taken.value[pick] ?? {}
  return write([mirror], { ...taken.value, [pick]: others })
}

/** Send what waits, now; and again later, the later the longer it is in vain. */
export async function send(): Promise<void> {
  const who = mine.value
  askedAgain = sending.value // a try that began without the network must not cost the moment in which it came back
  if (!who || sending.value) return
  sending.value = true
  clearTimeout(timer)
  try {
    hindrance.value = await sync(who, reread)
    others.postMessage('sent')
  } finally {
    sending.value = false
    const well = hindrance.value === null
    pause_ms = well ? FIRST_PAUSE_MS : Math.min(LONGEST_PAUSE_MS, pause_ms * 2)
    const more = entries.value.some(isUnsent)
    plan(askedAgain ? 0 : well && !more ? FRESH_MS : pause_ms)
  }
}

function plan(wait_ms: number): void {
  clearTimeout(timer)
  if (mine.value) timer = setTimeout(() => void send(), wait_ms)
}

/** Of a pick, so many units of a lot were taken; what is to be reported of that is written down with it, in one. */
export async function take(pick: string, lot_id: string, units: number, ...reports: Draft[]): Promise<void> {
  await write(reports, { ...taken.value, [pick]: { ...taken.value[pick], [lot_id]: units } })
}

/** What lay under an old PIN is here again. */
export async function rescued(): Promise<void> {
  await reread()
  await send()
}

/** Hand a stocktake in for review; needs the network. */
export async function handIn(stocktake_id: string): Promise<void> {
  const body = { id: crypto.randomUUID(), state: 'review' as const, note: '' }
  await told(api.POST('/v1/stocktakes/{stocktake_id}/steps', { params: { path: { stocktake_id } }, body }))
  await send()
}

/** Open a stocktake of the whole place; needs the network. */
export async function openStocktake(reason: string): Promise<void> {
  const body = { id: crypto.randomUUID(), place_id: place_id.value, reason, voucher: '' }
  await told(api.POST('/v1/stocktakes', { body }))
  await send()
}

const lots = computed<Record<string, KitLot>>(() => {
  const made = entries.value.flatMap((one) => (one.draft.lot ? [[one.draft.lot.id, one.draft.lot] as const] : []))
  return { ...Object.fromEntries(made), ...kit.value?.lots }
})
const items = computed(() => new Map<string, KitItem>(kit.value?.items.map((item) => [item.code, item])))
/** Units by account and lot: as the services gave them, and what was done since. */
const stock = computed(() => {
  const shown: Record<string, Record<string, number>> = { ...kit.value?.stock }
  const copied = new Set<string>()
  for (const change of entries.value.filter((one) => !one.in_kit).flatMap((one) => one.changes)) {
    if (!copied.has(change.account)) shown[change.account] = { ...shown[change.account] }
    copied.add(change.account)
    const here = shown[change.account]!
    here[change.lot_id] = (here[change.lot_id] ?? 0) + change.units
  }
  return shown
})

export const unlocked = computed(() => mine.value !== null)

export function useDesk() {
  const { person } = useSession()
  return {
    ...{ mine, place_id, kit, entries, taken, sending, hindrance, persisted, lots, items, stock, offset_ms },
    unsent: computed(() => entries.value.filter(isUnsent)),
    parked: computed(() => entries.value.filter((one) => one.state === 'parked')),
    person: computed(() => mine.value?.person ?? person.value),
  }
}
