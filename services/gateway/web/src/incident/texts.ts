// All texts of this folder, from one file a page.
import { en as afterwards, zh as afterwardsZh } from './texts/afterwards'
import { en as callOut, zh as callOutZh } from './texts/callOut'
import { en as common, zh as commonZh } from './texts/common'
import { en as decision, zh as decisionZh } from './texts/decision'
import { en as declare, zh as declareZh } from './texts/declare'
import { en as deviations, zh as deviationsZh } from './texts/deviations'
import { en as exercise, zh as exerciseZh } from './texts/exercise'
import { en as plan, zh as planZh } from './texts/plan'
import { en as situation, zh as situationZh } from './texts/situation'
import { en as words, zh as wordsZh } from './texts/words'
import { en as work, zh as workZh } from './texts/work'

export const zh = { ...afterwardsZh, ...callOutZh, ...commonZh, ...decisionZh, ...declareZh, ...deviationsZh, ...exerciseZh, ...planZh, ...situationZh, ...wordsZh, ...workZh }
export const en: typeof zh = { ...afterwards, ...callOut, ...common, ...decision, ...declare, ...deviations, ...exercise, ...plan, ...situation, ...words, ...work }
