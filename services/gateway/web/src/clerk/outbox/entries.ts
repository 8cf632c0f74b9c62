// Entries: what was done, written down on the device before the screen says that it is done.
import { database, DURABLE, type EntryState, type StoredEntry, type StoredKit } from '../device/database'
import { seal, unseal } from '../device/crypto'
import type { Kit } from '../device/kit'
import type { Open } from '../device/vault'
import type { Taken } from '../picking/picks'
import { type Body, type Change, changesOf, type Draft } from './movements'

export interface Entry {
  seq: number
  id: string
  state: EntryState
  draft: Draft
  /** What it changes of the stock that is shown. */
  changes: Change[]
  /** By the device's clock, ms since 1970. */
  device_ms: number
  /** How far the clock was known to be off then (ms). */
  off_ms: number
  /** Who did it, by the name that people know. */
  made_by: string
  /** As it was first sent: every retry is the same. */
  body: Body | null
  /** Of a body's time, how far the device's clock was off (ms). */
  corrected_ms: number
  /** The kit has it: what it changes is in the stock that the services gave. */
  in_kit: boolean
  answer: { reason: string | null; zh: string; en: string; at: string } | null
}
type Kept = Omit<Entry, 'seq' | 'id' | 'state'>

const KEEP_MS = 14 * 86_400_000

async function sealed(mine: Open, entry: Entry): Promise<StoredEntry> {
  const { seq, id, state, ...kept } = entry
  return { ...(seq ? { seq } : {}), id, state, vault: mine.id, ...(await seal(mine.key, `entry:${id}`, kept)) }
}

/** What was taken of each pick of a place so far: it stays on the device, for who goes on after a reload. */
export interface Picked {
  place_id: string
  taken: Taken
}

/** Write down what was done and, where it belongs to a pick, how far that is: all of it or nothing; on the disk when this returns. */
export async function writeDown(mine: Open, drafts: Draft[], now_ms: number, off_ms: number, picked?: Picked): Promise<Entry[]> {
  const entries: Entry[] = drafts.map((draft) => ({
    ...{ seq: 0, id: crypto.randomUUID(), state: 'waiting', draft, changes: changesOf(draft), device_ms: now_ms, off_ms },
    ...{ made_by: mine.person.display_name, body: null, corrected_ms: 0, in_kit: false, answer: null },
  }))
  const rows = await Promise.all(entries.map((entry) => sealed(mine, entry)))
  const mark = picked && (await markOf(mine, picked))
  const change = (await database()).transaction(['entries', 'kits'], 'readwrite', DURABLE)
  const added = rows.map((row) => change.objectStore('entries').add(row))
  if (mark) void change.objectStore('kits').put(mark)
  const keys = await Promise.all(added)
  await change.done
  return entries.map((entry, number) => ({ ...entry, seq: keys[number]! }))
}

/** Keep entries as they have become, and new kits with them: in one transaction, so that no change counts twice. */
export async function keep(mine: Open, entries: Entry[], kits: Kit[] = []): Promise<void> {
  const rows = await Promise.all(entries.map((entry) => sealed(mine, entry)))
  const stored = await Promise.all(
    kits.map(async (kit) => ({
      ...{ vault: mine.id, place_id: kit.place_id },
      ...(await seal(mine.key, `kit:${kit.place_id}`, kit)),
    })),
  )
  const change = (await database()).transaction(['entries', 'kits'], 'readwrite', DURABLE)
  for (const row of rows) void change.objectStore('entries').put(row)
  for (const row of stored) void change.objectStore('kits').put(row)
  await change.done
}

export async function kitOf(mine: Open, place_id: string): Promise<Kit | null> {
  const found = await (await database()).get('kits', [mine.id, place_id])
  return found ? unseal<Kit>(mine.key, `kit:${place_id}`, found) : null
}

const PICKED = 'picked'

async function markOf(mine: Open, { place_id, taken }: Picked): Promise<StoredKit> {
  const name = `${PICKED}:${place_id}`
  return { vault: mine.id, place_id: name, ...(await seal(mine.key, name, taken)) }
}

export async function takenAt(mine: Open, place_id: string): Promise<Taken> {
  const name = `${PICKED}:${place_id}`
  const found = await (await database()).get('kits', [mine.id, name])
  return found ? unseal<Taken>(mine.key, name, found) : {}
}

/** All that the person has done here, the first first. */
export async function read(mine: Open): Promise<Entry[]> {
  const rows = await (await database()).getAllFromIndex('entries', 'vault', mine.id)
  const entries = rows.map(async (row) => ({
    ...(await unseal<Kept>(mine.key, `entry:${row.id}`, row)),
    ...{ seq: row.seq!, id: row.id, state: row.state },
  }))
  return (await Promise.all(entries)).sort((a, b) => a.seq - b.seq)
}

/** Forget what the books have had for two weeks. What waits or is parked is never forgotten. */
export async function tidy(entries: Entry[], now_ms: number): Promise<void> {
  const old = entries.filter((one) => one.state === 'accepted' && one.in_kit && now_ms - one.device_ms > KEEP_MS)
  if (!old.length) return
  const change = (await database()).transaction('entries', 'readwrite', DURABLE)
  for (const entry of old) void change.store.delete(entry.seq)
  await change.done
}

export const isUnsent = (entry: Entry) => entry.state === 'waiting' || entry.state === 'sent'
