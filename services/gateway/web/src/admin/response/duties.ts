import type { Shape } from '../../api/client'

export type Duty = Shape<'Duty'>
/** In the order in which an incident goes through them. */
export const STAGES = ['alarm', 'assess', 'order', 'dispatch', 'supervise', 'evaluate', 'report'] as const
