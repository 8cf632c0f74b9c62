// A scanner gun types like a keyboard, without a pause, and ends with Enter or Tab. It is heard wherever the focus is:
// outside of fields typed text has no other meaning; in a field only what begins with our own sign is taken for a scan,
// and does not stay there.
import { onBeforeUnmount, onMounted } from 'vue'

const PAUSE_MS = 500 // a gun needs 20; a busy phone, or radio in between, more
const SHORTEST = 4

type Hear = (code: string) => void
const hearers: Hear[] = []

/** The page that was opened last hears. */
export function useScans(hear: Hear): void {
  onMounted(() => hearers.push(hear))
  onBeforeUnmount(() => hearers.splice(hearers.indexOf(hear), 1))
}

export function scanned(code: string): void {
  hearers.at(-1)?.(code)
}

const isField = (target: EventTarget | null): target is HTMLInputElement =>
  target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement

/** Listen to all keys; returns what ends it. */
export function listen(ownField: () => HTMLInputElement | null): () => void {
  let typed = ''
  let last_ms = 0
  let before = ''
  const onKey = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.target === ownField()) return
    const goesOn = event.timeStamp - last_ms < PAUSE_MS
    if (event.key.length === 1) {
      if (!goesOn) before = isField(event.target) ? event.target.value : ''
      typed = goesOn ? typed + event.key : event.key
      last_ms = event.timeStamp
    } else if ((event.key === 'Enter' || event.key === 'Tab') && goesOn && typed.length >= SHORTEST) {
      const inField = isField(event.target)
      if (!inField || /^chubei:/i.test(typed)) {
        if (inField) restore(event.target, before)
        event.preventDefault()
        event.stopPropagation()
        scanned(typed)
      }
      typed = ''
    }
  }
  addEventListener('keydown', onKey, { capture: true })
  return () => removeEventListener('keydown', onKey, { capture: true })
}

function restore(field: HTMLInputElement, before: string): void {
  field.value = before
  field.dispatchEvent(new Event('input', { bubbles: true }))
}
