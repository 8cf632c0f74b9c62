// What the device keeps, in IndexedDB: vaults (one for each person who works with it), their kits and entries.
import { type DBSchema, type IDBPDatabase, openDB } from 'idb'

import type { Sealed, WrappedKey } from './crypto'

/** One person's part of the device. What is not sealed is what the screen shows before the PIN is given. */
export interface Vault {
  id: string
  username: string
  display_name: string
  wrapped: WrappedKey
  profile: Sealed
  tries: number
  /** No PIN is tried before this moment (ms since 1970, by the device's clock). */
  locked_until: number
  /** Its PIN was forgotten and the person has another vault; what was not sent waits here for the old PIN. */
  retired: boolean
}
export type EntryState = 'waiting' | 'sent' | 'accepted' | 'parked'
/** `sent`: an answer is due; its body is settled, and the same at every retry. */
export interface StoredEntry extends Sealed {
  seq?: number
  id: string
  vault: string
  state: EntryState
}
export interface StoredKit extends Sealed {
  vault: string
  place_id: string
}

interface Schema extends DBSchema {
  vaults: { key: string; value: Vault }
  kits: { key: [string, string]; value: StoredKit }
  entries: {
    key: number
    value: StoredEntry
    indexes: { id: string; vault: string; state: [string, EntryState] }
  }
}
export type Database = IDBPDatabase<Schema>

let opened: Promise<Database> | null = null

export function database(): Promise<Database> {
  opened ??= openDB<Schema>('chubei-clerk', 1, {
    upgrade(db) {
      db.createObjectStore('vaults', { keyPath: 'id' })
      db.createObjectStore('kits', { keyPath: ['vault', 'place_id'] })
      const entries = db.createObjectStore('entries', { keyPath: 'seq', autoIncrement: true })
      entries.createIndex('id', 'id', { unique: true })
      entries.createIndex('vault', 'vault')
      entries.createIndex('state', ['vault', 'state'])
    },
    blocking: () => void opened?.then((db) => (db.close(), (opened = null))), // a newer version wants to upgrade
    terminated: () => (opened = null),
  })
  return opened
}

/** On the disk before we go on: a phone may lose power at any moment. */
export const DURABLE = { durability: 'strict' } as const

/** How many entries of a vault have not been answered. */
export async function unsent(db: Database, vault: string): Promise<number> {
  const waiting = db.countFromIndex('entries', 'state', [vault, 'waiting'])
  return (await waiting) + (await db.countFromIndex('entries', 'state', [vault, 'sent']))
}
