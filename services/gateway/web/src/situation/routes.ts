// 态势: where things are, and how the 12 hours go.
import type { RouteRecordRaw } from 'vue-router'

/** Below /command/incidents/:id, in IncidentFrame.vue, which gives the incident (useIncident). */
export const situationRoutes: RouteRecordRaw[] = [
  { path: 'map', name: 'incident-map', component: () => import('./map/MapPage.vue') },
  { path: 'hours', name: 'incident-hours', component: () => import('./hours/HoursPage.vue') },
]
