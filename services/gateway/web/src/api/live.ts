// What happens now, told by the gateway's event stream (GET /v1/events); where it can not be had, by asking again.
// A window holds one stream for all its pages, and none while nobody looks at it.
import { onScopeDispose, readonly, ref } from 'vue'

import { renew } from './client'

export interface LiveEvent {
  service: string
  topic: string
  body: Record<string, unknown>
  /** None: it passes (plan.progress) and is not kept. */
  seq: number | null
}
interface Listener {
  topics: string[]
  heard: (event: LiveEvent | null) => void
}

const RETRY_MS = 3_000
const ASK_AGAIN_MS = 20_000
const PAUSE_MS = 1_500

const listeners = new Set<Listener>()
const streaming = ref(false)
let stream: EventSource | null = null
let lostBefore = false

/** Null says: something may have been missed, look again. */
function tell(event: LiveEvent | null): void {
  for (const { topics, heard } of listeners) {
    if (!event || topics.some((topic) => event.topic.startsWith(topic))) heard(event)
  }
}

function open(): void {
  if (stream || !listeners.size || document.hidden) return
  const mine = (stream = new EventSource('/v1/events'))
  mine.addEventListener('open', () => {
    streaming.value = true
    if (lostBefore) tell(null)
    lostBefore = false
  })
  mine.addEventListener('message', ({ data }) => tell(JSON.parse(data as string) as LiveEvent))
  mine.addEventListener('error', () => {
    if (mine !== stream) return
    streaming.value = false
    lostBefore = true
    if (mine.readyState !== EventSource.CLOSED) return // the browser tries again by itself, from where it was
    stream = null // refused: the token may be over
    setTimeout(() => void renew().catch(() => false).then(open), RETRY_MS)
  })
}

function close(): void {
  lostBefore ||= stream !== null
  stream?.close()
  stream = null
  streaming.value = false
}

document.addEventListener('visibilitychange', () => {
  if (document.hidden) close()
  else open()
})
setInterval(() => {
  if (!streaming.value && !document.hidden) tell(null)
}, ASK_AGAIN_MS)

/** Hear events whose topic begins so, as long as the calling component stands; null: look again, whatever it was. */
export function useLive(topics: string[], heard: (event: LiveEvent | null) => void) {
  const listener = { topics, heard }
  listeners.add(listener)
  open()
  onScopeDispose(() => {
    listeners.delete(listener)
    if (!listeners.size) close()
  })
  return { streaming: readonly(streaming) }
}

/**
 * `look` again whenever something of these topics happened: at once, then at most every PAUSE_MS and as long as a look
 * takes; never two at a time.
 */
export function useFresh(topics: string[], look: () => Promise<unknown>) {
  let due = false
  let looking = false
  async function again() {
    due = true
    if (looking) return
    looking = true
    while (due) {
      due = false
      await look()
      await new Promise((done) => setTimeout(done, PAUSE_MS))
    }
    looking = false
  }
  return useLive(topics, () => void again())
}
