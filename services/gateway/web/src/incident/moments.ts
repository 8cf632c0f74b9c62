// Times in a form: what a datetime-local field holds is Beijing time, wherever the browser believes to be.
const BEIJING_MS = 8 * 3_600_000

/** '2026-11-21T03:40' of a moment; now, where none is given. */
export function localNow(moment = new Date()): string {
  return new Date(moment.getTime() + BEIJING_MS).toISOString().slice(0, 16)
}

/** The moment that such a field says, in UTC. */
export function fromLocal(field: string): string {
  return new Date(Date.parse(`${field.slice(0, 16)}:00Z`) - BEIJING_MS).toISOString()
}
