// What a keeper's pages have in common: what comes to the shelter, and what its goods are called.
import { computed, ref } from 'vue'

import { told } from '../api/client'
import type { components } from '../api/schema'
import { spoken as byName } from '../app/names'
import { either } from '../i18n'
import { guestApi } from './link'

export function useShelter(subject: string[]) {
  const [id = '', shelter_id = ''] = subject
  const path = { id, shelter_id }
  const list = ref<components['schemas']['DeliveryList'] | null>(null)
  const items = computed(() => list.value?.items ?? [])
  /** Of them what has come here; all that is known, where nothing was received yet. */
  const here = computed(() => {
    const came = new Set((list.value?.rows ?? []).filter((row) => row.received).flatMap((row) => Object.keys(row.goods)))
    return came.size ? items.value.filter((one) => came.has(one.item_code)) : items.value
  })

  /** Ask again. Raises Problem. */
  async function look() {
    list.value = await told(guestApi.GET('/v1/incidents/{id}/shelters/{shelter_id}/deliveries', { params: { path } }))
  }
  function name(code: string): string {
    const found = items.value.find((one) => one.item_code === code)
    return found ? either(found.name_zh, found.name_en) : code
  }
  /** What the services say, with items by name where they have a code. */
  const spoken = (text: string) => byName(text, (code) => items.value.find((one) => one.item_code === code))
  return { path, list, items, here, look, name, spoken }
}
