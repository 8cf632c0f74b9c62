import { useI18n } from 'vue-i18n'

import type { Shape } from '../../api/client'

export type Duty = Shape<'Duty'>
/** In the order in which an incident goes through them. */
export const STAGES = ['alarm', 'assess', 'order', 'dispatch', 'supervise', 'evaluate', 'report'] as const

/** Minutes as days, hours and minutes: 20160 as 14 d. */
export function useSpan(): (minutes: number) => string {
  const { t, n } = useI18n()
  return (minutes) => {
    const parts = { day: Math.floor(minutes / 1440), hour: Math.floor((minutes % 1440) / 60), min: minutes % 60 }
    const told = (['day', 'hour', 'min'] as const).filter((part) => parts[part] > 0)
    return told.map((part) => t(`response.span.${part}`, { n: n(parts[part], 'whole') })).join(' ')
  }
}
