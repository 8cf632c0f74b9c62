import { onScopeDispose, ref, type Ref } from 'vue'

/** Now, in ms since 1970, every second anew as long as the calling component stands. */
export function useNow(): Readonly<Ref<number>> {
  const now = ref(Date.now())
  const timer = setInterval(() => (now.value = Date.now()), 1000)
  onScopeDispose(() => clearInterval(timer))
  return now
}

/** Whole hours and minutes of a span in ms, by its size: 3 h 07 min is { hours: 3, minutes: '07' }. */
export function hoursAndMinutes(span_ms: number): { hours: number; minutes: string } {
  const whole_min = Math.floor(Math.abs(span_ms) / 60_000)
  return { hours: Math.floor(whole_min / 60), minutes: String(whole_min % 60).padStart(2, '0') }
}
