// What may follow what for somebody who is called: the first is what a tap on the row does.
import type { CallRow } from '../types'

export type Move = 'call' | 'answer' | 'unreachable' | 'decline' | 'present' | 'release'
export const NEXT: Record<CallRow['state'], Move[]> = {
  to_call: ['call', 'present'],
  called: ['answer', 'unreachable', 'decline', 'present'],
  answered: ['present', 'unreachable', 'decline', 'release'],
  unreachable: ['call', 'answer', 'present'],
  declined: ['call', 'answer', 'present'],
  present: ['release'],
  released: ['call'],
}
export const LOOK: Record<CallRow['state'], string> = {
  to_call: '', called: 'busy', answered: 'warn', unreachable: 'bad', declined: 'bad', present: 'good', released: '',
} // prettier-ignore
