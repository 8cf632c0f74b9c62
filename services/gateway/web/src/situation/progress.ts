// How the dispatch of the open incident goes, fresh as it happens, and the minute that it is.
import { computed, shallowRef, type ComputedRef } from 'vue'

import { useAttempt } from '../api/attempt'
import { api, told, type Shape } from '../api/client'
import { useFresh } from '../api/live'
import { useNow } from '../command/clock'
import { useIncident } from '../command/incident'

export type Progress = Shape<'ProgressView'>
export type Trip = Shape<'TripProgress'>
export type TripStop = Shape<'TripStop'>
export type Point = Shape<'PointProgress'>

const TOPICS = ['order.', 'plan.approved', 'plan.superseded', 'deviation.', 'headcount.', 'incident.', 'shelter.']

export function useProgress() {
  const { incident } = useIncident()
  const progress = shallowRef<Progress | null>(null)
  const { problem, attempt } = useAttempt()
  const look = () =>
    attempt(async () => {
      const path = { id: incident.value.id }
      progress.value = await told(api.GET('/v1/incidents/{id}/progress', { params: { path } }))
    })
  void look()
  const { streaming } = useFresh(TOPICS, look)
  return { progress, problem, look, streaming, minute: useMinute(progress) }
}

/** Minutes since it happened, going on by the clock; in an exercise those of its last report. */
function useMinute(progress: Readonly<{ value: Progress | null }>): ComputedRef<number> {
  const now = useNow()
  return computed(() => {
    const shown = progress.value
    if (!shown) return 0
    return shown.exercise ? shown.now_min : (now.value - Date.parse(shown.occurred_at)) / 60_000
  })
}

/** A minute of the night as people say it: 00:00 is when it happened. */
export function clockOf(minute: number): string {
  const whole = Math.max(0, Math.round(minute))
  return `${String(Math.floor(whole / 60)).padStart(2, '0')}:${String(whole % 60).padStart(2, '0')}`
}
