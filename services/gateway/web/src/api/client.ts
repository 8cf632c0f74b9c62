// The one way to the services: typed by their OpenAPI document (schema.d.ts is made from it by the build).
import createClient, { type Middleware } from 'openapi-fetch'
import type { Readable } from 'openapi-typescript-helpers'
import { computed, ref } from 'vue'

import { either } from '../i18n'
import type { components, paths } from './schema'

/** A shape of the OpenAPI document, as answers bring it. */
export type Shape<Name extends keyof components['schemas']> = Readable<components['schemas'][Name]>

/** An answer of the services that says what is wrong, or no answer at all (status 0). */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly zh: string,
    readonly en: string,
    readonly body: Record<string, unknown> = {},
  ) {
    super(en)
  }
  /** Whether it is of this kind, such as second-factor-needed. */
  is(kind: string): boolean {
    return this.body.type === `urn:chubei:problem:${kind}`
  }
  get text(): string {
    return either(this.zh, this.en)
  }
}

export const UNREACHED = new Problem(
  0,
  '连不上服务器,请检查网络后重试',
  'The server can not be reached: check the network and try again',
)

// The session is in cookies that no script can read. This header shows that the request comes from our own page:
// another site's page can not send it without being allowed to, and nobody is.
const OURS = { 'X-Requested-By': 'chubei-web' }

let renewal: Promise<boolean> | null = null

/** Ask for a new pair of tokens, once for all requests that want one. */
export function renew(): Promise<boolean> {
  renewal ??= fetch('/v1/browser-sessions:refresh', { method: 'POST', headers: OURS })
    .then((answer) => answer.ok)
    .finally(() => (renewal = null))
  return renewal
}

const patience: Middleware = {
  async onRequest({ request }) {
    for (const [name, value] of Object.entries(OURS)) request.headers.set(name, value)
    return request
  },
}

const WITHOUT_BODY = [204, 205, 304]

const SLOW_MS = 1_500
const late = ref(0)
/** Some answer is long in coming: the page, which may be empty until then, is to say so. */
export const slow = computed(() => late.value > 0)

/** An answer with its body, read to the end: one that breaks off, or stops coming, is no answer. */
export async function whole(request: Request): Promise<Response> {
  let isLate = 0
  const timer = setTimeout(() => (late.value += isLate = 1), SLOW_MS)
  try {
    const answer = await fetch(request)
    return new Response(WITHOUT_BODY.includes(answer.status) ? null : await answer.arrayBuffer(), answer)
  } finally {
    clearTimeout(timer)
    late.value -= isLate
  }
}

async function reach(request: Request): Promise<Response> {
  const again = request.clone()
  try {
    const answer = await whole(request)
    if (answer.status !== 401 || request.url.includes('/v1/browser-sessions')) return answer
    return (await renew()) ? await whole(again) : answer
  } catch {
    throw UNREACHED
  }
}

export const api = createClient<paths>({ baseUrl: '/', fetch: reach })
api.use(patience)

interface Answer<T> {
  data?: T
  error?: unknown
  response: Response
}

/** What was answered, or the Problem that stands in its place. */
export async function told<T>(asked: Promise<Answer<T>>): Promise<T> {
  const { data, error, response } = await asked
  if (response.ok) return data as T
  const body = (typeof error === 'object' && error ? error : {}) as Record<string, unknown>
  const zh = String(body.detail ?? `服务器答复 ${response.status}`)
  throw new Problem(response.status, zh, String(body.detail_en ?? `The server answered ${response.status}`), body)
}
