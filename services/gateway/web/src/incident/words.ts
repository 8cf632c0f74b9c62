// How an incident's things are called, in the page's language.
import { useI18n } from 'vue-i18n'

import { ROMAN } from '../command/incident'

export const KINDS = ['earthquake', 'flood', 'storm', 'snow', 'fire', 'other'] as const
export const LEVELS = [1, 2, 3, 4] as const

export function useWords() {
  const { t, te, n } = useI18n()

  /** A word of texts.ts that the services name, such as a state; the name itself where there is none. */
  function word(group: string, name: string): string {
    const key = `incident.${group}.${name}`
    return te(key) ? t(key) : name
  }
  /** 95 as 1 h 35 min. */
  function span(minutes: number): string {
    const whole = Math.max(0, Math.round(minutes))
    const [hours, rest] = [Math.floor(whole / 60), whole % 60]
    if (!hours) return t('incident.min', { min: rest })
    return rest ? t('incident.hourMin', { hours, min: rest }) : t('incident.hours', { hours })
  }
  return {
    word,
    span,
    level: (level: number) => t('incident.level', { level: ROMAN[level] ?? level }),
    people: (count: number) => t('incident.peopleCount', { count: n(count, 'whole') }),
    share: (part: number, whole: number) => (whole ? `${Math.floor((1000 * part) / whole) / 10} %` : '–'),
  }
}
