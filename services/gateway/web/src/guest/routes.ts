// 凭链接或短码:people without an account, one purpose each.
import type { RouteRecordRaw } from 'vue-router'

export const guestRoutes: RouteRecordRaw[] = [
  {
    path: '/l/:code?',
    name: 'guest',
    component: () => import('./GuestPage.vue'),
    props: true,
    meta: { open: true, guest: true },
  },
]
