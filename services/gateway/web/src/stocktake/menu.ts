import type { MenuEntry } from '../command/menu'

export const stocktakeMenu: MenuEntry[] = [{ route: 'stocktakes', title: 'stocktake.menu' }]
