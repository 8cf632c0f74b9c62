// Files to the services: checked, imported, or given back with their bad cells marked.
import { api, told } from '../api/client'
import type { components } from '../api/schema'

type Report = components['schemas']['ImportReport']
interface Asked {
  dry_run?: boolean
  id?: string
  file_sha256?: string
}

const AS_IT_IS = {
  headers: { 'Content-Type': 'application/octet-stream' },
  bodySerializer: (file: unknown) => file as BodyInit,
}

/** Check a file, or import it with what the check told. Raises Problem. */
export async function send(list_key: string, file: File, asked: Asked, etag = ''): Promise<{ report: Report; etag: string }> {
  const body = (await file.arrayBuffer()) as unknown as string // as it is now: a spreadsheet may be saved again meanwhile
  const params = { path: { list_key }, query: asked, header: etag ? { 'if-match': etag } : {} }
  const answer = await api.POST('/v1/lists/{list_key}/imports', { params, body, ...AS_IT_IS })
  return { report: await told(Promise.resolve(answer)), etag: answer.response.headers.get('ETag') ?? '' }
}

/** Save the copy whose bad cells are marked. Raises Problem. */
export async function markedCopy(list_key: string, file: File): Promise<void> {
  const body = (await file.arrayBuffer()) as unknown as string
  const asked = api.POST('/v1/lists/{list_key}/imports:mark', {
    ...AS_IT_IS,
    params: { path: { list_key } },
    body,
    parseAs: 'blob',
  })
  const url = URL.createObjectURL((await told(asked)) as unknown as Blob)
  Object.assign(document.createElement('a'), { href: url, download: `${list_key}-marked.xlsx` }).click()
  setTimeout(() => URL.revokeObjectURL(url), 60_000)
}
