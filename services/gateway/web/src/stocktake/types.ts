import type { Shape } from '../api/client'

export type View = Shape<'StocktakeView'>
export type Difference = Shape<'DifferencePage'>['rows'][number]
export type SheetLine = Shape<'SheetLine'>
export type Threshold = Shape<'Threshold'>
export type State = View['state']
export const OPEN: State[] = ['counting', 'review']
