// The newest check, asked for again while one is under way.
import { onMounted, onUnmounted, ref } from 'vue'

import { useAttempt } from '../api/attempt'
import { api, told } from '../api/client'
import type { components } from '../api/schema'

export type Readiness = components['schemas']['Readiness']
export type Run = components['schemas']['RunView']

const EVERY_MS = 3000

export function useCheck() {
  const latest = ref<Readiness | null>(null)
  const underWay = ref<Run | null>(null)
  const failed = ref<Run | null>(null)
  const asked = ref(false)
  const { busy, problem, attempt } = useAttempt()
  let timer: ReturnType<typeof setTimeout> | undefined
  let gone = false

  async function look() {
    clearTimeout(timer)
    const found = await attempt(() => told(api.GET('/v1/readiness')))
    if (gone) return
    if (found) {
      latest.value = found.latest as Readiness | null // openapi-fetch widens its pairs to lists
      underWay.value = found.under_way
      failed.value = found.failed ?? null
      asked.value = true
    }
    if (underWay.value) timer = setTimeout(() => void look(), EVERY_MS)
  }

  async function checkNow() {
    const begun = await attempt(() => told(api.POST('/v1/readiness:run', { body: { id: crypto.randomUUID() } })))
    if (begun) await look()
  }

  onMounted(look)
  onUnmounted(() => {
    gone = true
    clearTimeout(timer)
  })
  return { latest, underWay, failed, asked, busy, problem, checkNow }
}
