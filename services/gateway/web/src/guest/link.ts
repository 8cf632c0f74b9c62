// What a link lets its holder do. Its token stays in memory; when it is over, the link is opened again.
import createClient from 'openapi-fetch'

import { told, UNREACHED, whole } from '../api/client'
import type { components, paths } from '../api/schema'
import { measured } from '../clerk/device/clock'

export type Link = components['schemas']['GuestToken']

let code = ''
let token = ''
let off_ms = 0

/** The moment by the server's clock, as far as its answers told it: a phone's may be off by minutes. */
export const serverNow = () => new Date(Date.now() + off_ms).toISOString()

async function send(request: Request): Promise<Response> {
  const sent = new Request(request, { credentials: 'omit' }) // whoever else is signed in here has no part in it
  if (token) sent.headers.set('Authorization', `Bearer ${token}`)
  try {
    const asked_ms = Date.now()
    const answer = await whole(sent)
    off_ms = measured(answer.headers.get('Date'), asked_ms, Date.now()) ?? off_ms
    return answer
  } catch {
    throw UNREACHED
  }
}

async function reach(request: Request): Promise<Response> {
  const again = request.clone()
  const answer = await send(request)
  if (answer.status !== 401 || request.url.endsWith(':open')) return answer
  await openLink(code)
  return send(again)
}

/** The services as the holder of the link may use them. */
export const guestApi = createClient<paths>({ baseUrl: '/', fetch: reach })

/** Go in by the secret of a link, or by its short code. Raises Problem. */
export async function openLink(typed: string): Promise<Link> {
  token = ''
  const found = await told(guestApi.POST('/v1/links:open', { body: { code: typed } }))
  code = typed
  token = found.access_token
  return found
}

/** Whether typed letters can be a code at all; the rest is the gateway's to say. */
export function looksLikeCode(typed: string): boolean {
  return typed.replace(/[\s-]/g, '').length >= 8
}


