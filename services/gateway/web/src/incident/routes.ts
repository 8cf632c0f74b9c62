// 指挥: an incident is declared, and then has a page for each thing that command does about it.
import type { RouteRecordRaw } from 'vue-router'

/** Of the house as a whole. */
export const declaringRoutes: RouteRecordRaw[] = [
  { path: 'declare', name: 'incident-new', component: () => import('./declare/DeclarePage.vue') },
  { path: 'exercises', name: 'exercises', component: () => import('./exercise/ExercisesPage.vue') },
]

/** Below /command/incidents/:id. */
export const incidentRoutes: RouteRecordRaw[] = [
  {
    path: '',
    component: () => import('./IncidentBody.vue'),
    children: [
      { path: 'overview', name: 'incident-overview', component: () => import('./overview/OverviewPage.vue') },
      { path: 'call-out', name: 'incident-call-out', component: () => import('./callout/CallOutPage.vue') },
      { path: 'plans', name: 'incident-plans', component: () => import('./plan/PlansPage.vue') },
      { path: 'plans/:planId', name: 'incident-plan', component: () => import('./plan/PlanPage.vue'), props: true },
      { path: 'orders', name: 'incident-orders', component: () => import('./orders/OrdersPage.vue') },
      { path: 'deviations', name: 'incident-deviations', component: () => import('./deviations/DeviationsPage.vue') },
      { path: 'exercise', name: 'incident-exercise', component: () => import('./exercise/ExercisePage.vue') },
      { path: 'tasks', name: 'incident-tasks', component: () => import('./tasks/TasksPage.vue') },
      { path: 'timeline', name: 'incident-timeline', component: () => import('./timeline/TimelinePage.vue') },
      { path: 'people', name: 'incident-people', component: () => import('./people/PeoplePage.vue') },
      { path: 'reports', name: 'incident-reports', component: () => import('./reports/ReportsPage.vue') },
      { path: 'aftermath', name: 'incident-aftermath', component: () => import('./aftermath/AftermathPage.vue') },
    ],
  },
]
