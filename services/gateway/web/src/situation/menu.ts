import type { MenuEntry } from '../command/menu'

export const situationMenu: MenuEntry[] = [
  { route: 'incident-map', title: 'situation.map' },
  { route: 'incident-hours', title: 'situation.hours' },
]
