import type { MenuEntry } from '../command/menu'

export const adminMenu: MenuEntry[] = [
  { route: 'admin-people', title: 'admin.people', roles: ['admin'] },
  { route: 'admin-catalogue', title: 'admin.catalogue', roles: ['admin', 'commander', 'approver'] },
  { route: 'admin-stores', title: 'admin.stores', roles: ['admin', 'commander'] },
  { route: 'admin-fleet', title: 'admin.fleet', roles: ['admin', 'commander'] },
  { route: 'admin-posts', title: 'response.posts', roles: ['admin', 'commander', 'approver', 'auditor'] },
  { route: 'admin-plan', title: 'response.plan', roles: ['admin', 'commander', 'approver', 'auditor'] },
  { route: 'admin-authority', title: 'response.authority', roles: ['admin', 'commander', 'approver', 'auditor'] },
  { route: 'admin-imports', title: 'admin.imports', roles: ['admin', 'commander', 'clerk'] },
  { route: 'admin-audit', title: 'admin.audit', roles: ['admin', 'auditor'] },
]
