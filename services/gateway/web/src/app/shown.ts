import { type Directive, nextTick } from 'vue'

const openers = new WeakMap<HTMLElement, Element | null>()

/** What a button opens comes into view, wherever it is, and has the focus; when it is closed, the button has it again.
 * `v-shown="close"`: a question, which Escape closes, and where Enter held too long does not say yes. */
export const vShown: Directive<HTMLElement, (() => void) | undefined> = {
  created(opened) {
    openers.set(opened, document.activeElement)
  },
  mounted(opened, { value: close }) {
    if (close) opened.addEventListener('keydown', (event) => event.key === 'Escape' && close())
    opened.scrollIntoView({ block: close ? 'nearest' : 'start' })
    const field = opened.querySelector<HTMLElement>(close ? 'input, select, textarea' : 'input, select, button')
    const focused = field ?? [...opened.querySelectorAll('button')].at(-1)
    focused?.focus({ preventScroll: true })
  },
  async unmounted(opened) {
    await nextTick() // the button may have been hidden as long as this was open
    const opener = openers.get(opened)
    if (opener instanceof HTMLElement && opener.isConnected && document.activeElement === document.body) opener.focus()
  },
}
