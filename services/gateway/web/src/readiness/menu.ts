import type { MenuEntry } from '../command/menu'

export const readinessMenu: MenuEntry[] = [{ route: 'readiness', title: 'readiness.menu' }]
