// What a clerk takes along beside the kit: bins in walking order, orders to be loaded here, sheets of stocktakes.
import { api, told } from '../../api/client'
import type { Beside, Order, Sheet } from '../device/kit'

interface Page<T> {
  rows: T[]
  next_cursor?: string | null
}

async function all<T>(ask: (cursor: string | undefined) => Promise<Page<T>>): Promise<T[]> {
  const rows: T[] = []
  let cursor: string | undefined
  do {
    const page = await ask(cursor)
    rows.push(...page.rows)
    cursor = page.next_cursor ?? undefined
  } while (cursor)
  return rows
}

export async function beside(place_id: string): Promise<Beside> {
  const register = await all((cursor) =>
    told(
      api.GET('/v1/places/{place_id}/bins', { params: { path: { place_id }, query: { cursor, limit: 500 } } }),
    ),
  )
  return { register, orders: await orders(place_id), sheets: await sheets(place_id) }
}

/** Orders that have something to be loaded here, and are not over. */
async function orders(place_id: string): Promise<Order[]> {
  const found: Order[] = []
  for (const status of ['planned', 'under_way'] as const)
    found.push(
      ...(await all((cursor) => told(api.GET('/v1/orders', { params: { query: { status, cursor, limit: 200 } } })))),
    )
  return found.filter((order) => order.stops.some((stop) => stop.place_id === place_id && Object.keys(stop.load).length))
}

async function sheets(place_id: string): Promise<Sheet[]> {
  const open = await all((cursor) =>
    told(api.GET('/v1/stocktakes', { params: { query: { place_id, state: 'counting', cursor } } })),
  )
  const read = open.map(async ({ stocktake, opened_at }) => {
    const path = { stocktake_id: stocktake.id }
    const lines = await all((cursor) =>
      told(api.GET('/v1/stocktakes/{stocktake_id}/sheet', { params: { path, query: { cursor, limit: 500 } } })),
    )
    return { id: stocktake.id, reason: stocktake.reason, opened_at, lines }
  })
  return Promise.all(read)
}
