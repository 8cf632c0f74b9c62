import { onScopeDispose } from 'vue'

import { useFresh } from '../api/live'

const EVERY_MS = 30_000 // minutes left pass without anything happening

/** Call `look` now, when something of these topics happens, and twice a minute. */
export function useLooking(topics: string[], look: () => Promise<unknown>) {
  void look()
  useFresh(topics, look)
  const timer = setInterval(() => {
    if (!document.hidden) void look()
  }, EVERY_MS)
  onScopeDispose(() => clearInterval(timer))
}
