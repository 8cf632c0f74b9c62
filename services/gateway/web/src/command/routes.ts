// The pages of command staff. A folder takes one line: of the house as a whole, or of one incident.
import type { RouteRecordRaw } from 'vue-router'

import { adminRoutes } from '../admin/routes'
import { declaringRoutes, incidentRoutes as pages } from '../incident/routes'
import { readinessRoutes } from '../readiness/routes'
import { situationRoutes } from '../situation/routes'
import { stocktakeRoutes } from '../stocktake/routes'

const incidentRoutes: RouteRecordRaw[] = [
  { path: '', name: 'incident', redirect: { name: 'incident-overview' } },
  ...pages,
  ...situationRoutes,
]

export const commandRoutes: RouteRecordRaw[] = [
  {
    path: '/command',
    component: () => import('./CommandFrame.vue'),
    meta: { wide: true },
    children: [
      { path: '', name: 'command', component: () => import('./IncidentsPage.vue') },
      ...declaringRoutes,
      { path: 'incidents/:id', component: () => import('./IncidentFrame.vue'), props: true, children: incidentRoutes },
      ...readinessRoutes,
      ...stocktakeRoutes,
      ...adminRoutes,
    ],
  },
]
