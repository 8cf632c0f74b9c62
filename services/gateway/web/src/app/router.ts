import { createRouter, createWebHistory, type RouteLocationRaw } from 'vue-router'

import { clerkRoutes } from '../clerk/routes'
import { commandRoutes } from '../command/routes'
import { guestRoutes } from '../guest/routes'
import { useSession, whoami } from '../session/session'

export const router = createRouter({
  history: createWebHistory(),
  routes: [
    { path: '/', name: 'home', component: () => import('./NothingPage.vue') },
    { path: '/status', name: 'status', component: () => import('../status/StatusPage.vue'), meta: { open: true } },
    { path: '/sign-in', name: 'sign-in', component: () => import('../session/SignIn.vue'), meta: { open: true } },
    { path: '/password', name: 'password', component: () => import('../session/NewPassword.vue') },
    { path: '/break-glass', name: 'break-glass', component: () => import('../session/BreakGlass.vue'), meta: { open: true } },
    { path: '/account', name: 'account', component: () => import('../account/AccountPage.vue') },
    { path: '/second-factor', name: 'second-factor', component: () => import('../account/EnrolPage.vue') },
    ...clerkRoutes,
    ...commandRoutes,
    ...guestRoutes,
    { path: '/:rest(.*)*', name: 'nothing', component: () => import('./NothingPage.vue'), meta: { open: true } },
  ],
})

/** What is to be done before anything else. */
function due(): RouteLocationRaw | null {
  const { passwordDue, factorDue } = useSession()
  if (passwordDue.value) return { name: 'password' }
  return factorDue.value ? { name: 'second-factor' } : null
}

/** Where a person's work is. */
async function landing(): Promise<RouteLocationRaw> {
  if (!(await whoami())) return (await isKnownHere()) ? { name: 'clerk-pin' } : { name: 'sign-in' }
  return due() ?? { name: useSession().is('clerk') ? 'clerk' : 'command' }
}

/** Whether a clerk has a PIN on this device: then it opens without the gateway. */
async function isKnownHere(): Promise<boolean> {
  const { vaults } = await import('../clerk/device/vault')
  return (await vaults()).length > 0
}

async function isUnlocked(): Promise<boolean> {
  return (await import('../clerk/desk')).unlocked.value
}

router.beforeEach(async (to) => {
  if (to.meta.open) return true
  if (to.meta.vault) {
    if (await isUnlocked()) return true
    await whoami()
    return due() ?? { name: 'clerk-pin', query: { to: to.fullPath } }
  }
  if (to.name === 'home') return landing()
  if (!(await whoami())) return { name: 'sign-in', query: { to: to.fullPath } }
  if (to.name !== 'password' && to.name !== 'second-factor') return due() ?? true
  return true
})
