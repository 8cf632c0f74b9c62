// How the figures of a check are written.
import { useI18n } from 'vue-i18n'

import { either } from '../i18n'

export function useFigures() {
  const { n, d, t } = useI18n()
  return {
    whole: (count: number) => n(count, 'whole'),
    percent: (share: number) => n(share, 'percent'),
    /** Fen as yuan; what has no price says so. */
    yuan: (fen: number | null) => (fen === null ? t('readiness.noPrice') : n(fen / 100, 'yuan')),
    /** How far off a day is, such as: in 30 days. */
    until: (date: string) => {
      const days = daysUntil(date)
      if (days === 0) return t('readiness.today')
      return days < 0 ? t('readiness.overdue', { n: -days }) : t('readiness.inDays', { n: days })
    },
    /** A day in China, such as 2026-11-22. */
    day: (date: string) => d(new Date(`${date}T00:00:00Z`), 'day'),
    at: (moment: string) => d(new Date(moment), 'at'),
    name: (one: { name_zh: string; name_en: string } | undefined) => (one ? either(one.name_zh, one.name_en) : ''),
  }
}

/** Whole days from today (in China) until a day; below 0 when it is over. */
export function daysUntil(date: string): number {
  const today = new Date(Date.now() + 8 * 3_600_000).toISOString().slice(0, 10)
  return Math.round((Date.parse(date) - Date.parse(today)) / 86_400_000)
}
