// What the menu shows beside the pages: of the whole house, and of the incident that is open. A folder brings its
// entries in a menu.ts of its own and takes one line in each list here.
import { adminMenu } from '../admin/menu'
import { declareAction, exerciseMenu, incidentPages } from '../incident/menu'
import { readinessMenu } from '../readiness/menu'
import { situationMenu } from '../situation/menu'
import { stocktakeMenu } from '../stocktake/menu'
import type { Role } from '../session/session'

export interface MenuEntry {
  /** Name of a route; one of an incident takes its id. */
  route: string
  /** Key of its text. */
  title: string
  /** Whom it is shown to; left out: everyone who comes here. */
  roles?: Role[]
}

/** Of the house as a whole. */
export const houseMenu: MenuEntry[] = [
  { route: 'command', title: 'command.incidents' },
  ...exerciseMenu,
  ...readinessMenu,
  ...stocktakeMenu,
  ...adminMenu,
]

/** What is begun from the list of incidents, as buttons above it. */
export const houseActions: MenuEntry[] = [declareAction]

/** Of one incident, in the order in which a night goes. */
export const incidentMenu: MenuEntry[] = [...incidentPages, ...situationMenu]
