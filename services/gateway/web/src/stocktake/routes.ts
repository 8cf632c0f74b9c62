// 盘点: stocktakes as their supervisors see them; those who count have their sheet on the device (clerk/).
import type { RouteRecordRaw } from 'vue-router'

export const stocktakeRoutes: RouteRecordRaw[] = [
  { path: '/stocktakes', name: 'stocktakes', component: () => import('./StocktakesPage.vue') },
  { path: '/stocktakes/:id', name: 'stocktake', component: () => import('./StocktakePage.vue'), props: true },
]
