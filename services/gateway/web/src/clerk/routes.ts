// The clerk's pages. They open with the device's PIN, with or without a network.
import type { RouteRecordRaw } from 'vue-router'

const scans = { meta: { vault: true, scans: true } }
const plain = { meta: { vault: true } }

export const clerkRoutes: RouteRecordRaw[] = [
  { path: '/clerk/pin', name: 'clerk-pin', component: () => import('./pages/PinPage.vue'), meta: { open: true } },
  {
    path: '/clerk',
    component: () => import('./ClerkFrame.vue'),
    children: [
      { path: '', name: 'clerk', component: () => import('./pages/HomePage.vue'), ...plain },
      { path: 'count', name: 'clerk-count', component: () => import('./pages/CountPage.vue'), ...scans },
      { path: 'pick', name: 'clerk-pick', component: () => import('./pages/PickListPage.vue'), ...plain },
      {
        ...{ path: 'pick/:id/:stop', name: 'clerk-pick-one', props: true },
        component: () => import('./pages/PickPage.vue'),
        ...scans,
      },
      { path: 'records', name: 'clerk-records', component: () => import('./pages/RecordsPage.vue'), ...plain },
      { path: 'stock', name: 'clerk-stock', component: () => import('./pages/StockPage.vue'), ...scans },
      {
        ...{ path: ':kind(receive|issue|transfer|seal|release)', name: 'clerk-act', props: true },
        component: () => import('./pages/ActPage.vue'),
        ...scans,
      },
    ],
  },
]
