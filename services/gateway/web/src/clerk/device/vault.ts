// Who may open what on this device: a vault for each person, by PIN.
import { database, DURABLE, unsent, type StoredEntry, type Vault } from './database'
import { newKey, seal, type Sealed, unseal, unwrap } from './crypto'
import type { Person } from '../../session/session'

export interface Open {
  id: string
  person: Person
  key: CryptoKey
}
export interface Listed {
  id: string
  username: string
  display_name: string
  retired: boolean
  unsent: number
  locked_until: number
}

export const PIN = /^\d{6,12}$/
/** Full-width digits, as a Chinese keyboard may give them, are digits. */
export const typedPin = (typed: string) => typed.normalize('NFKC')
const FREE_TRIES = 3
const LONGEST_MS = 15 * 60_000

/** How long no PIN is tried after so many wrong ones: 5 s, 10 s, … 15 minutes. */
export function delayMs(tries: number): number {
  return tries < FREE_TRIES ? 0 : Math.min(LONGEST_MS, 5000 * 2 ** (tries - FREE_TRIES))
}

export async function vaults(): Promise<Listed[]> {
  const db = await database()
  const all = await db.getAll('vaults')
  const listed = all.map(async ({ id, username, display_name, retired, locked_until }) => ({
    id,
    username,
    display_name,
    retired,
    locked_until,
    unsent: await unsent(db, id),
  }))
  return (await Promise.all(listed)).filter((vault) => !vault.retired || vault.unsent > 0)
}

/** A vault under a new PIN. An earlier one of the same person is retired, and what it has not sent stays in it. */
export async function make(person: Person, pin: string): Promise<Open> {
  const { key, wrapped } = await newKey(pin)
  const id = crypto.randomUUID()
  const { username, display_name } = person
  const profile = await seal(key, `profile:${id}`, person)
  const db = await database()
  const change = db.transaction('vaults', 'readwrite', DURABLE)
  for (const other of await change.store.getAll())
    if (other.username === username && !other.retired) await change.store.put({ ...other, retired: true })
  const state = { tries: 0, locked_until: 0, retired: false }
  await change.store.add({ id, username, display_name, wrapped, profile, ...state })
  await change.done
  return { id, person, key }
}

/** How long no PIN is tried yet; a clock that was set back far locks nobody out. */
export function waitMs({ locked_until }: { locked_until: number }): number {
  const wait_ms = locked_until - Date.now()
  return wait_ms > 0 && wait_ms <= LONGEST_MS ? wait_ms : 0
}

/** The person's vault, or how long to wait: the try is counted before it is made. */
export async function open(id: string, pin: string): Promise<Open | { wait_ms: number }> {
  const db = await database()
  const counting = db.transaction('vaults', 'readwrite', DURABLE)
  const vault = (await counting.store.get(id)) as Vault
  const wait_ms = waitMs(vault)
  if (wait_ms) return { wait_ms }
  const tries = vault.tries + 1
  await counting.store.put({ ...vault, tries, locked_until: Date.now() + delayMs(tries) })
  await counting.done
  const key = await unwrap(pin, vault.wrapped)
  if (!key) return { wait_ms: delayMs(tries) }
  await db.put('vaults', { ...vault, tries: 0, locked_until: 0 })
  return { id, key, person: await unseal<Person>(key, `profile:${id}`, vault.profile) }
}

/** Keep what the gateway says of the person now (places, roles), for the next time without a network. */
export async function keepProfile(mine: Open, person: Person): Promise<void> {
  const profile = await seal(mine.key, `profile:${mine.id}`, person)
  const db = await database()
  const change = db.transaction('vaults', 'readwrite', DURABLE)
  const vault = await change.store.get(mine.id)
  if (vault) await change.store.put({ ...vault, display_name: person.display_name, profile })
  await change.done
}

/** Bring what an earlier vault of the same person has not sent into the present one, all at once. */
export async function rescue(old: Open, mine: Open): Promise<number> {
  const db = await database()
  const found = await db.getAllFromIndex('entries', 'vault', old.id)
  const moved: StoredEntry[] = await Promise.all(
    found.map(async (entry) => {
      const plain = await unseal(old.key, `entry:${entry.id}`, entry)
      const again: Sealed = await seal(mine.key, `entry:${entry.id}`, plain)
      return { ...entry, ...again, vault: mine.id }
    }),
  )
  const change = db.transaction(['entries', 'vaults', 'kits'], 'readwrite', DURABLE)
  for (const entry of moved) await change.objectStore('entries').put(entry)
  await change.objectStore('vaults').delete(old.id)
  const kits = change.objectStore('kits')
  for (const key of await kits.getAllKeys()) if (key[0] === old.id) await kits.delete(key)
  await change.done
  return moved.length
}
