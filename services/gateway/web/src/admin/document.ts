// A document that is put as a whole, each change of it a version: what is in force, and what somebody makes of it here.
import { computed, ref, type Ref } from 'vue'

import { Problem } from '../api/client'

interface Read<View> {
  found: View
  etag: string
}

/** `read` gives what is in force with its ETag, or an earlier version; `blank` is where there is none yet. */
export function useDocument<View extends { version: number }, Doc>(
  read: (version: number | undefined) => Promise<Read<View>>,
  docOf: (view: View) => Doc,
  blank: Doc,
) {
  const view = ref(null) as Ref<View | null>
  const newest = ref(0)
  const known = ref(false) // until it was answered there is nothing to say about it, and nothing to change
  const before = ref(blank) as Ref<Doc>
  const draft = ref(structuredClone(blank)) as Ref<Doc>
  let etag = ''

  async function look(version?: number): Promise<void> {
    try {
      const { found, etag: edition } = await read(version)
      view.value = found
      before.value = docOf(found)
      if (version === undefined) {
        etag = edition
        newest.value = found.version
      }
    } catch (problem) {
      if (!(problem instanceof Problem) || problem.status !== 404) throw problem
    }
    known.value = true
    reset()
  }
  const copy = (doc: Doc) => JSON.parse(JSON.stringify(doc)) as Doc
  function reset() {
    draft.value = copy(before.value)
  }
  return {
    ...{ view, newest, before, draft, look, reset },
    /** Earlier versions are looked at and not changed. */
    current: computed(() => known.value && (!view.value || view.value.version === newest.value)),
    dirty: computed(() => JSON.stringify(draft.value) !== JSON.stringify(before.value)),
    header: () => (etag ? { 'if-match': etag } : {}),
  }
}

export type Altered = 'added' | 'changed' | 'removed'

/** What became of entries that have an id. Pure. */
export function altered<Entry extends { id: string }>(before: Entry[], after: Entry[]): { id: string; how: Altered }[] {
  const was = new Map(before.map((one) => [one.id, JSON.stringify(one)]))
  const is = new Set(after.map((one) => one.id))
  return [
    ...after
      .filter((one) => was.get(one.id) !== JSON.stringify(one))
      .map((one) => ({ id: one.id, how: was.has(one.id) ? ('changed' as const) : ('added' as const) })),
    ...before.filter((one) => !is.has(one.id)).map((one) => ({ id: one.id, how: 'removed' as const })),
  ]
}
