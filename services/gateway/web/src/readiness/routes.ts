// 保障能力: whether the duty can be kept, what it hangs on, and what is due for it.
import type { RouteRecordRaw } from 'vue-router'

export const readinessRoutes: RouteRecordRaw[] = [
  {
    path: '/readiness',
    component: () => import('./ReadinessFrame.vue'),
    children: [
      { path: '', name: 'readiness', component: () => import('./UpwardPage.vue') },
      { path: 'losses', name: 'readiness-losses', component: () => import('./LossesPage.vue') },
      { path: 'history', name: 'readiness-history', component: () => import('./HistoryPage.vue') },
      { path: 'care', name: 'readiness-care', component: () => import('./CarePage.vue') },
      { path: 'agreements', name: 'readiness-agreements', component: () => import('./AgreementsPage.vue') },
    ],
  },
]
