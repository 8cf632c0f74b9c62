// Sends what waits, and takes the kit anew. One at a time over all windows; the same id and body at every retry.
import { api, Problem, told } from '../../api/client'
import type { components } from '../../api/schema'
import { holdingSession } from '../../session/session'
import { learn, offset_ms } from '../device/clock'
import type { Kit, Told } from '../device/kit'
import { brought } from '../device/kit'
import { type Open, keepProfile } from '../device/vault'
import { beside } from './beside'
import { answered, inKit } from './answers'
import { type Entry, isUnsent, keep, kitOf, read, tidy } from './entries'
import { bodyOf, isStep } from './movements'

const MOST = 200
const PATIENCE_MS = 30_000

export type Hindrance =
  | { kind: 'busy' | 'no-network' | 'sign-in' }
  | { kind: 'other-person'; name: string }
  | { kind: 'refused'; zh: string; en: string }

/** Send all that waits and take the kit anew. Null where nothing hindered it; whatever did, nothing is lost. */
export async function sync(mine: Open, changed: () => Promise<void>): Promise<Hindrance | null> {
  return navigator.locks.request('chubei.sender', { ifAvailable: true }, async (lock) => {
    if (!lock) return { kind: 'busy' }
    try {
      return await holdingSession(() => exchange(mine, changed))
    } catch (problem) {
      if (!(problem instanceof Problem)) throw problem
      return hindrance(problem)
    } finally {
      await changed()
    }
  })
}

function hindrance(problem: Problem): Hindrance {
  if (problem.status === 401) return { kind: 'sign-in' }
  if (problem.status === 0 || problem.status === 502 || problem.status === 504) return { kind: 'no-network' }
  return { kind: 'refused', zh: problem.zh, en: problem.en }
}

const patience = () => AbortSignal.timeout(PATIENCE_MS)

async function exchange(mine: Open, changed: () => Promise<void>): Promise<Hindrance | null> {
  const asked_ms = Date.now()
  const met = await api.GET('/v1/me', { signal: patience() })
  learn(met.response, asked_ms)
  const person = await told(Promise.resolve(met))
  if (person.username !== mine.person.username) return { kind: 'other-person', name: person.display_name }
  if (JSON.stringify(person) !== JSON.stringify(mine.person)) {
    mine.person = person
    await keepProfile(mine, person)
  }
  await sendBatches(mine, changed)
  await sendOfOrders(mine, (one) => isStep(one.draft.kind))
  await takeKits(mine)
  await sendOfOrders(mine, isPhoto) // last: they are large, and nothing waits for them
  return null
}

type Which = (entry: Entry) => boolean
const isPhoto: Which = (one) => one.draft.kind === 'photo'

/** What is due to be sent, the first first; its bodies are settled before it goes. */
async function due(mine: Open, which: Which, most: number): Promise<Entry[]> {
  const some = (await read(mine)).filter((one) => isUnsent(one) && which(one)).slice(0, most)
  const fresh = some.filter((one) => one.state === 'waiting')
  for (const entry of fresh) {
    const corrected_ms = entry.off_ms || (offset_ms.value ?? 0) // who has set the clock since, did not move the past
    entry.body = bodyOf(entry.id, entry.draft, new Date(entry.device_ms + corrected_ms).toISOString())
    entry.corrected_ms = corrected_ms
    entry.state = 'sent'
    delete entry.draft.order?.jpeg // the body has it
  }
  if (fresh.length) await keep(mine, fresh)
  return some
}

/** A batch that is refused as a whole is tried in halves, so that one entry never keeps the others back. */
async function sendBatches(mine: Open, changed: () => Promise<void>): Promise<void> {
  let most = MOST
  const next = () => due(mine, (one) => !one.draft.order, most)
  for (let batch = await next(); batch.length; batch = await next()) {
    try {
      await keep(mine, await sendBatch(batch))
    } catch (problem) {
      if (!(problem instanceof Problem) || ![400, 413, 422].includes(problem.status)) throw problem
      if (batch.length === 1) await keep(mine, [refused(batch[0]!, problem)])
      most = Math.max(1, Math.floor(batch.length / 2))
    }
    await changed()
  }
}

async function sendBatch(batch: Entry[]): Promise<Entry[]> {
  const body = { movements: batch.map((entry) => entry.body!) }
  const answer = await told(api.POST('/v1/movements:batch', { body, signal: patience() }))
  const at = new Date().toISOString()
  return answer.rows.map((row) => answered(batch[row.number]!, row, at))
}

function refused(entry: Entry, problem: Problem): Entry {
  const answer = { reason: 'refused', zh: problem.zh, en: problem.en, at: new Date().toISOString() }
  return { ...entry, state: 'parked', answer, body: isPhoto(entry) ? null : entry.body }
}

/** Steps and photos of orders have routes of their own, one by one. No image stays here when it has its answer. */
async function sendOfOrders(mine: Open, which: Which): Promise<void> {
  for (const entry of await due(mine, which, MOST)) {
    try {
      await sendOfOrder(entry)
      const answer = { reason: null, zh: '', en: '', at: new Date().toISOString() }
      await keep(mine, [{ ...entry, state: 'accepted', answer, body: null }])
    } catch (problem) {
      if (!(problem instanceof Problem) || ![400, 403, 404, 409, 422].includes(problem.status)) throw problem
      await keep(mine, [refused(entry, problem)])
    }
  }
}

async function sendOfOrder(entry: Entry): Promise<void> {
  const { kind: _, ...said } = entry.body!
  const params = { path: { id: entry.draft.order!.id } }
  if (isPhoto(entry)) {
    const photo = said as unknown as components['schemas']['Photo']
    await told(api.POST('/v1/orders/{id}/photos', { params, body: photo, signal: patience() }))
  } else {
    const step = said as unknown as components['schemas']['Step']
    await told(api.POST('/v1/orders/{id}/steps', { params, body: step, signal: patience() }))
  }
}

/** The kits of all places where the person works, read when nothing is on its way: what is booked is in them. */
async function takeKits(mine: Open): Promise<void> {
  const kits: Kit[] = []
  const settled: Told['parked'] = []
  for (const place_id of mine.person.places) {
    const before = await kitOf(mine, place_id)
    const query = { place_id, ...(before ? { since: before.cursor } : {}) }
    const found = await told(api.GET('/v1/offline-kit', { params: { query }, signal: patience() }))
    kits.push(brought(before, found, await beside(place_id)))
    settled.push(...found.parked)
  }
  const entries = await read(mine)
  const answeredNow = entries.filter((one) => !isUnsent(one))
  await keep(mine, inKit(answeredNow, settled), kits)
  await tidy(entries, Date.now())
}
