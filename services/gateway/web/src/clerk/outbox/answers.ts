// What the services' answers make of entries. Pure.
import type { components } from '../../api/schema'
import type { Settled } from '../device/kit'
import type { Entry } from './entries'

type Answer = components['schemas']['BatchAnswer']

/** Booked all the same: a person only has to look at it. */
const BOOKED = ['short', 'elsewhere']

/** An entry as its answer makes it. What was known before, and says why, was parked then. */
export function answered(entry: Entry, answer: Answer, at: string): Entry {
  const told = answer.detail ?? ''
  const parked = answer.outcome === 'parked' || Boolean(answer.reason) || told !== ''
  const { reason = null, detail_en = '' } = answer
  return { ...entry, state: parked ? 'parked' : 'accepted', answer: { reason, zh: told, en: detail_en, at } }
}

/** Entries as a kit shows them that was taken after all their answers: those that it has, and what became of the rest. */
export function inKit(entries: Entry[], settled: Settled[]): Entry[] {
  const became = new Map(settled.map((one) => [one.id, one]))
  return entries.flatMap((entry) => {
    const now = became.get(entry.id)
    const after = now && now.status !== 'open' ? settle(entry, now) : entry
    const booked = after.state === 'accepted' || (after.state === 'parked' && BOOKED.includes(after.answer?.reason ?? ''))
    if (after === entry && (entry.in_kit || !booked)) return []
    return [{ ...after, in_kit: after.in_kit || booked }]
  })
}

function settle(entry: Entry, now: Settled): Entry {
  if (entry.answer?.reason === 'rejected' || entry.state === 'accepted') return entry
  const said = now.settled_reason ?? ''
  const at = entry.answer?.at ?? ''
  if (now.status === 'rejected')
    return { ...entry, state: 'parked', in_kit: true, answer: { reason: 'rejected', zh: said, en: said, at } }
  return { ...entry, state: 'accepted', answer: { reason: null, zh: said, en: said, at } }
}
