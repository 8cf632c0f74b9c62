// The names of places, items, vehicles and sub-districts, asked for once: a page shows names, not ids.
import { shallowRef } from 'vue'

import { api, told, type Shape } from '../api/client'
import { learnNames, spoken, useNames } from '../app/names'
import { either } from '../i18n'

interface Named {
  name_zh: string
  name_en: string
}
export interface Directory {
  district: Shape<'District'> | null
  subdistricts: Shape<'SubDistrict'>[]
  shelters: Shape<'Shelter'>[]
  vehicles: Shape<'VehicleType'>[]
  sites: Shape<'LoadingSite'>[]
  /** Of the places those with shelves of our own. */
  stores: Set<string>
  named: Map<string, Named>
  items: Map<string, Shape<'Item'>>
}

const found = shallowRef<Directory | null>(null)

export async function loadDirectory(): Promise<Directory> {
  if (found.value) return found.value
  const [network] = await Promise.all([told(api.GET('/v1/network')), learnNames()])
  const known = useNames()
  const [items, places] = [known.items.value, [...known.places.value.values()]]
  const vehicles = network.vehicle_types ?? []
  const named = new Map<string, Named>([
    ...(network.subdistricts ?? []).map((one) => [one.id, one] as const),
    ...places.map((one) => [one.id, one] as const),
    ...(network.shelters ?? []).map((one) => [one.id, one] as const),
    ...vehicles.map((one) => [one.id, one] as const),
    ...items,
  ])
  found.value = {
    district: network.district ?? null,
    subdistricts: network.subdistricts ?? [],
    shelters: network.shelters ?? [],
    vehicles,
    sites: network.loading_sites ?? [],
    stores: new Set(places.filter((one) => one.kind === 'store' || one.kind === 'special').map((one) => one.id)),
    named,
    items,
  }
  return found.value
}

/** The name of a place, item, vehicle type or sub-district in the page's language; its id where it has none. */
export function nameOf(id: string): string {
  const one = found.value?.named.get(id)
  return one ? either(one.name_zh, one.name_en) : id
}

/** A vehicle such as VAN-N#3 by the name of its type. */
export function vehicleName(vehicle: string): string {
  const [type, number] = vehicle.split('#')
  return number ? `${nameOf(type!)} ${number}` : nameOf(vehicle)
}

/** What the services say, with vehicles and places called by their names. */
export function named(text: string): string {
  return spoken(text, (code) => {
    const [id, number] = code.split('#')
    const one = found.value?.named.get(id!)
    return one && number ? { name_zh: `${one.name_zh} ${number},`, name_en: `${one.name_en} ${number},` } : one
  })
}

export function useDirectory() {
  return found
}
