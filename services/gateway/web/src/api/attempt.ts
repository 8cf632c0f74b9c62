import { readonly, ref, shallowRef } from 'vue'

import { Problem } from './client'

/** What a page tries with the services: whether it is under way, and the Problem in which it ended, if any. */
export function useAttempt() {
  const underWay = ref(0)
  const busy = ref(false)
  const problem = shallowRef<Problem | null>(null)

  /** What `work` gives; nothing where it ended in a Problem, which then is to be shown. Other errors go on. */
  async function attempt<T>(work: () => Promise<T>): Promise<T | undefined> {
    busy.value = ++underWay.value > 0
    problem.value = null
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      problem.value = error
      return undefined
    } finally {
      busy.value = --underWay.value > 0
    }
  }

  return { busy: readonly(busy), problem, attempt }
}
