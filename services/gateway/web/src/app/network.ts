import { readonly, ref } from 'vue'

// What the browser believes; whether the server answers is known when it is asked.
const online = ref(navigator.onLine)
addEventListener('online', () => (online.value = true))
addEventListener('offline', () => (online.value = false))

export function useNetwork() {
  return { online: readonly(online) }
}
