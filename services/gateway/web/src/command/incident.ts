// The incident whose pages are open: asked for once by IncidentFrame.vue, fresh whenever something happens to it.
import { inject, type InjectionKey, type Ref } from 'vue'

import type { Shape } from '../api/client'

/** Levels as they are written: I is the gravest. */
export const ROMAN = ['', 'I', 'II', 'III', 'IV']

export type Incident = Shape<'IncidentView'>
export interface OpenIncident {
  /** As it stands. The pages below the frame stand only once it is there. */
  incident: Readonly<Ref<Incident>>
  /** Ask for it again, after one has changed it. */
  refresh: () => Promise<unknown>
}
export const OPEN_INCIDENT: InjectionKey<OpenIncident> = Symbol('incident')

/** For pages below /command/incidents/:id. */
export function useIncident(): OpenIncident {
  const open = inject(OPEN_INCIDENT)
  if (!open) throw new Error('this page belongs below IncidentFrame.vue')
  return open
}
