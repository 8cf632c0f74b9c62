// What people are called: a person's name where the house knows one, the user name where it does not.
import { reactive } from 'vue'

import { api } from '../api/client'
import { half, i18n } from '../i18n'

const MOST = 100
const USERNAME = /^[A-Za-z0-9][A-Za-z0-9:._#-]{0,79}$/
const GUEST = 'guest:'
const names = reactive(new Map<string, string>())
const asked = new Set<string>()
let waiting: string[] = []

/** Of whoever a page says did something. A name that is not known yet is asked for, and stands on the page once it is. */
export function personName(username: string | null | undefined): string {
  if (!username) return ''
  if (username === 'system') return i18n.global.t('app.bySystem')
  if (username.startsWith(GUEST)) return i18n.global.t('app.byLink', { name: username.slice(GUEST.length) })
  const name = names.get(username)
  if (name === undefined) want(username)
  return name === undefined ? username : half(name)
}

/** All that one page wants goes in one request. */
function want(username: string): void {
  if (asked.has(username) || !USERNAME.test(username)) return
  asked.add(username)
  if (waiting.push(username) === 1) setTimeout(() => void askAll())
}

async function askAll(): Promise<void> {
  const wanted = waiting
  waiting = []
  for (let from = 0; from < wanted.length; from += MOST) await ask(wanted.slice(from, from + MOST))
}

async function ask(username: string[]): Promise<void> {
  try {
    const { data } = await api.GET('/v1/person-names', { params: { query: { username } } })
    if (!data) throw new Error('no names')
    for (const [one, name] of Object.entries(data.names)) names.set(one, name)
  } catch {
    for (const one of username) asked.delete(one) // without them the page stands all the same; it asks when it is drawn again
  }
}
