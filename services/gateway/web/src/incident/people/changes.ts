// An amendment's change in words.
import { useI18n } from 'vue-i18n'

import { nameOf } from '../directory'
import type { Amendment } from '../types'
import { useWords } from '../words'

export function useChangeWords() {
  const { t, n } = useI18n()
  const { word, level } = useWords()
  const names = (ids: string[]) => ids.map(nameOf).join(', ')
  const people = (by: Record<string, number> | undefined) =>
    Object.entries(by ?? {}).map(([id, count]) => `${nameOf(id)} ${n(count, 'whole')}`)
  const ways = (pairs: string[][] | undefined) => (pairs ?? []).map((way) => way.map(nameOf).join(' → '))

  return (change: Amendment['change']): string => {
    const kind = t(`incident.change.${change.kind}`)
    switch (change.kind) {
      case 'level':
        return `${kind}: ${level(change.level)}`
      case 'people':
        return `${kind}: ${[...people(change.by_subdistrict), ...people(change.by_shelter)].join(', ')}`
      case 'groups':
        return `${kind}: ${names([...Object.keys(change.by_subdistrict ?? {}), ...Object.keys(change.by_shelter ?? {})])}`
      case 'conditions':
        return `${kind}: ${[change.setting && word('settings', change.setting), change.season && word('seasons', change.season)].filter(Boolean).join(' · ')}`
      case 'shelters_opened':
      case 'shelters_closed':
        return `${kind}: ${names(change.shelter_ids)}`
      case 'shelter_delayed':
        return `${kind}: ${nameOf(change.shelter_id)}, ${t('incident.fromMinute', { min: change.opens_min })}`
      case 'closures':
        return [
          ...ways(change.closed).map((way) => `${t('incident.wayClosed')}: ${way}`),
          ...ways(change.passable).map((way) => `${t('incident.wayOpen')}: ${way}`),
        ].join('; ')
      case 'demand_added':
        return `${kind}: ${nameOf(change.demand.item_code)} ${n(change.demand.units, 'whole')}`
      case 'more_granted':
        return `${kind}: ${nameOf(change.shelter_id)}, ${people(change.units).join(', ')}`
      case 'demand_removed':
        return `${kind}: ${change.demand_id}`
      default:
        return kind
    }
  }
}
