// Who is signed in. The tokens are in HttpOnly cookies; this knows only the name and the roles.
import { computed, ref } from 'vue'

import { api, Problem, told } from '../api/client'
import type { components } from '../api/schema'

export type Person = components['schemas']['Me']
export type Role = Person['roles'][number]

const person = ref<Person | null>(null)
const passwordDue = ref(false)
const factorDue = ref(false)
let asked = false

/** Who is signed in, asked of the gateway once; null when nobody is. */
export async function whoami(): Promise<Person | null> {
  if (asked) return person.value
  try {
    person.value = await told(api.GET('/v1/me'))
    passwordDue.value = person.value.must_change_password
    factorDue.value = person.value.second_factor_due
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem
    if (problem.status === 0) return null // ask again when the network is back
  }
  asked = true
  return person.value
}

/** Do something during which nobody else signs in or out in this browser, whichever window they use. */
export function holdingSession<T>(work: () => Promise<T>): Promise<T> {
  return navigator.locks.request('chubei.session', work) as Promise<T>
}

/** Ask once more: what is due may have changed. */
export async function askAgain(): Promise<void> {
  asked = false
  await whoami()
}

export async function signIn(username: string, password: string, code: string): Promise<void> {
  const body = { username, password, code: code || null }
  await holdingSession(() => told(api.POST('/v1/browser-sessions', { body })))
  await askAgain()
}

export async function breakGlass(body: components['schemas']['BreakGlass']): Promise<void> {
  await holdingSession(() => told(api.POST('/v1/browser-sessions:break-glass', { body })))
  await askAgain()
}

export async function signOut(): Promise<void> {
  await holdingSession(() => told(api.DELETE('/v1/browser-sessions/current')))
  person.value = null
}

/** Without a network, the person whom the device knows; the gateway is asked as soon as it can be reached. */
export function standIn(known: Person | null): void {
  person.value = known
  asked = false
}

export async function changePassword(old_password: string, new_password: string): Promise<void> {
  await told(api.POST('/v1/browser-sessions/password', { body: { old_password, new_password } }))
  await askAgain()
}

export function useSession() {
  return {
    person: computed(() => person.value),
    passwordDue: computed(() => passwordDue.value),
    factorDue: computed(() => factorDue.value),
    is: (...roles: Role[]) => roles.some((role) => person.value?.roles.includes(role)),
  }
}
