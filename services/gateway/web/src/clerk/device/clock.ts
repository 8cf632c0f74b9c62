// How far the device's clock is off. The server's is told by the Date header of its answers, to a second.
import { ref } from 'vue'

/** Add to the device's time to have the server's (ms); null before the server was ever asked. */
export const offset_ms = ref<number | null>(null)
export const TELLING_MS = 60_000

/** What an answer says of the clock, given when its request was made and when it came. */
export function measured(date: string | null, asked_ms: number, came_ms: number): number | null {
  const told = date ? Date.parse(date) : NaN
  if (Number.isNaN(told) || came_ms - asked_ms > 20_000) return null
  const off = told + 500 - (asked_ms + came_ms) / 2
  return Math.abs(off) < 2000 ? 0 : Math.round(off)
}

export function learn(answer: Response, asked_ms: number): void {
  const found = measured(answer.headers.get('Date'), asked_ms, Date.now())
  if (found !== null) offset_ms.value = found
}
