// 管理: people, the catalogue, stores, the fleet, files in and out, and what was done. Each page says whose it is.
import type { RouteRecordRaw } from 'vue-router'

import type { Role } from '../session/session'

const keepers: Role[] = ['admin', 'commander']
const readers: Role[] = [...keepers, 'approver', 'auditor']

export const adminRoutes: RouteRecordRaw[] = [
  {
    path: '/admin',
    component: () => import('./AdminFrame.vue'),
    children: [
      { path: 'people', name: 'admin-people', component: () => import('./PeoplePage.vue'), meta: { roles: ['admin'] } },
      { path: 'catalogue', name: 'admin-catalogue', component: () => import('./CataloguePage.vue'), meta: { roles: [...keepers, 'approver'] } },
      { path: 'stores', name: 'admin-stores', component: () => import('./StoresPage.vue'), meta: { roles: keepers } },
      { path: 'fleet', name: 'admin-fleet', component: () => import('./FleetPage.vue'), meta: { roles: keepers } },
      { path: 'posts', name: 'admin-posts', component: () => import('./response/PostsPage.vue'), meta: { roles: readers } },
      { path: 'response-plan', name: 'admin-plan', component: () => import('./response/PlanPage.vue'), meta: { roles: readers } },
      { path: 'authority', name: 'admin-authority', component: () => import('./response/AuthorityPage.vue'), meta: { roles: readers } },
      {
        path: 'imports',
        name: 'admin-imports',
        component: () => import('./ImportsPage.vue'),
        meta: { roles: ['admin', 'commander', 'clerk'] },
      },
      { path: 'audit', name: 'admin-audit', component: () => import('./AuditPage.vue'), meta: { roles: ['admin', 'auditor'] } },
    ],
  },
]
