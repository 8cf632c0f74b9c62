import { onBeforeUnmount } from 'vue'
import { onBeforeRouteLeave } from 'vue-router'

/** Ask before a page with something unsaved on it is left, by a link, the back button, a reload or a closed window. */
export function useUnsaved(unsaved: () => boolean, question: () => string): void {
  onBeforeRouteLeave(() => !unsaved() || window.confirm(question()))
  const hold = (event: BeforeUnloadEvent) => {
    if (unsaved()) event.preventDefault()
  }
  addEventListener('beforeunload', hold)
  onBeforeUnmount(() => removeEventListener('beforeunload', hold))
}
