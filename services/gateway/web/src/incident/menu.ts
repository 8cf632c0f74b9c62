import type { MenuEntry } from '../command/menu'

export const declareAction: MenuEntry = { route: 'incident-new', title: 'incident.declare', roles: ['commander'] }

export const exerciseMenu: MenuEntry[] = [{ route: 'exercises', title: 'incident.exercises' }]

export const incidentPages: MenuEntry[] = [
  { route: 'incident-overview', title: 'incident.tab.overview' },
  { route: 'incident-call-out', title: 'incident.tab.callOut' },
  { route: 'incident-plans', title: 'incident.tab.plan' },
  { route: 'incident-orders', title: 'incident.tab.orders' },
  { route: 'incident-deviations', title: 'incident.tab.deviations' },
  { route: 'incident-tasks', title: 'incident.tab.tasks' },
  { route: 'incident-timeline', title: 'incident.tab.timeline' },
  { route: 'incident-people', title: 'incident.tab.people' },
  { route: 'incident-reports', title: 'incident.tab.reports' },
  { route: 'incident-aftermath', title: 'incident.tab.aftermath' },
]
