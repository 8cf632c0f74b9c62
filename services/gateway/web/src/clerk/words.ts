// How items, lots, times and entries are said on the screen.
import { useI18n } from 'vue-i18n'

import { spoken as byName } from '../app/names'
import { either } from '../i18n'
import { unitName } from '../i18n/units'
import { useDesk } from './desk'
import type { KitLot } from './device/lots'
import type { Entry } from './outbox/entries'

const STATES = { waiting: 'stateWaiting', sent: 'stateSent', accepted: 'stateAccepted', parked: 'stateParked' } as const

export function useWords() {
  const { t, d, n } = useI18n()
  const { items, kit } = useDesk()

  const name = (code: string) => {
    const item = items.value.get(code)
    return item ? either(item.name_zh, item.name_en) : code
  }
  const unit = (code: string, count?: number) => unitName(items.value.get(code)?.unit_zh ?? '', count)
  const place = (id: string) => {
    const found = kit.value?.places.find((one) => one.id === id)
    return found ? either(found.name_zh, found.name_en) : id
  }
  const day = (date: string) => d(new Date(`${date}T00:00:00Z`), 'day')
  const expiry = (date: string | null) => (date ? t('clerk.expires', { date: day(date) }) : t('clerk.noExpiry'))
  const lot = (one: KitLot) => `${t('clerk.lot', { no: one.lot_no })} · ${expiry(one.expires_on)}`
  const whole = (units: number) => n(units, 'whole')
  /** Such as 3 hours. */
  const span = (ms: number) => {
    const minutes = Math.round(Math.abs(ms) / 60_000)
    if (minutes < 120) return t('clerk.minutes', { n: minutes })
    return minutes < 48 * 60
      ? t('clerk.hours', { n: Math.round(minutes / 60) })
      : t('clerk.days', { n: Math.round(minutes / 1440) })
  }
  /** What became of it. */
  const state = (one: Entry) => t(`clerk.${STATES[one.state]}`)
  /** Such as: issue · Drinking water 50 bottles. */
  const entry = ({ draft }: Entry) => {
    const kind = draft.reverses?.kind ?? draft.kind
    const did = draft.reverses ? `${t('clerk.reverse')} ${t(`clerk.${kind}`)}` : t(`clerk.${kind}`)
    const what = draft.lot ? `${name(draft.lot.item_code)} ${whole(draft.units ?? 0)} ${unit(draft.lot.item_code, draft.units)}` : ''
    return [did, draft.order?.number, what].filter(Boolean).join(' · ')
  }
  /** What the services say, with names for codes. */
  const spoken = (text: string) => byName(text, (code) => items.value.get(code) ?? kit.value?.places.find((one) => one.id === code))
  return { spoken, name, unit, place, day, lot, expiry, whole, span, state, entry }
}
