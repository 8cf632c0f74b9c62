// PURE. What went wrong, as its form says it.
import type { components } from '../../api/schema'

export type What = components['schemas']['DeviationReport']['what']
export const KINDS = ['order_delayed', 'vehicle_broken', 'place_lost', 'way_closed', 'supply_late', 'supply_withdrawn'] as const
export type Kind = (typeof KINDS)[number]

export interface Form {
  kind: Kind
  order: string
  vehicle: string
  aboard: boolean
  place: string
  item: string
  from: string
  to: string
  oneWay: boolean
  minutes: number
}

export function whatOf(form: Form): What {
  const { kind, minutes } = form
  switch (kind) {
    case 'order_delayed':
      return { kind, order_id: form.order, minutes }
    case 'vehicle_broken':
      return { kind, vehicle: form.vehicle, goods_aboard: form.aboard }
    case 'place_lost':
      return { kind, place_id: form.place }
    case 'way_closed':
      return { kind, from_id: form.from, to_id: form.to, one_way: form.oneWay }
    case 'supply_late':
      return { kind, place_id: form.place, item_code: form.item, minutes }
    case 'supply_withdrawn':
      return { kind, place_id: form.place, item_code: form.item }
  }
}
