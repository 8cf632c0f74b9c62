// What is changed in the catalogue goes into the open draft, or begins one; it comes into force when it is published.
import { api, told, type Shape } from '../api/client'
import type { components } from '../api/schema'
import { withEdition } from './edition'

type Draft = components['schemas']['Draft-Input']
export interface Put {
  item?: Shape<'Item'>
  kit?: Kit
  norm?: Norm
  withdraw_kit?: string
  withdraw_norm?: string
}
export type Kit = NonNullable<Draft['kits']>[number]
export type Norm = NonNullable<Draft['norms']>[number]

/** The draft with this in it, and nothing else said of the same entry. Pure. */
export function merged(draft: Draft, put: Put): Draft {
  const { item, kit, norm, withdraw_kit, withdraw_norm } = put
  const kit_id = kit?.id ?? withdraw_kit
  const normed = norm?.item_code ?? withdraw_norm
  return {
    ...draft,
    items: [...(draft.items ?? []).filter((one) => one.code !== item?.code), ...(item ? [item] : [])],
    kits: [...(draft.kits ?? []).filter((one) => one.id !== kit_id), ...(kit ? [kit] : [])],
    norms: [...(draft.norms ?? []).filter((one) => one.item_code !== normed), ...(norm ? [norm] : [])],
    withdraw_items: (draft.withdraw_items ?? []).filter((one) => one !== item?.code),
    withdraw_kits: [...(draft.withdraw_kits ?? []).filter((one) => one !== kit_id), ...(withdraw_kit ? [withdraw_kit] : [])],
    withdraw_norms: [...(draft.withdraw_norms ?? []).filter((one) => one !== normed), ...(withdraw_norm ? [withdraw_norm] : [])],
  }
}

/** `id` and `name` are for a new draft. Raises Problem. */
export async function intoDraft(open: Shape<'DraftView'> | null, id: string, name: string, put: Put): Promise<void> {
  if (!open) {
    const body = merged({ id, name, note: '' }, put)
    await told(api.PUT('/v1/catalogue/drafts/{draft_id}', { params: { path: { draft_id: id } }, body }))
    return
  }
  const path = { draft_id: open.draft.id }
  const { found, etag } = await withEdition(api.GET('/v1/catalogue/drafts/{draft_id}', { params: { path } }))
  const params = { path, header: { 'if-match': etag } }
  await told(api.PUT('/v1/catalogue/drafts/{draft_id}', { params, body: merged(found.draft, put) }))
}
