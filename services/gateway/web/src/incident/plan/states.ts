import type { PlanRow } from '../types'

export const PLAN_LOOK: Record<PlanRow['status'], string> = {
  proposed: 'warn', approving: 'busy', approved: 'good', refused: 'bad', superseded: '',
} // prettier-ignore
