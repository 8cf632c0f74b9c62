// The texts of all pages of command staff, which come with their frame and not with the clerk's first load. A folder
// takes one line in each language.
import { i18n } from '../i18n'
import { en as response, zh as responseZh } from '../admin/response/texts'
import { en as admin, zh as adminZh } from '../admin/texts'
import { en as incident, zh as incidentZh } from '../incident/texts'
import { en as readiness, zh as readinessZh } from '../readiness/texts'
import { en as situation, zh as situationZh } from '../situation/texts'
import { en as stocktake, zh as stocktakeZh } from '../stocktake/texts'
import { en as command, zh as commandZh } from './texts'

const zh = {
  admin: adminZh,
  command: commandZh,
  incident: incidentZh,
  readiness: readinessZh,
  response: responseZh,
  situation: situationZh,
  stocktake: stocktakeZh,
}
const en: typeof zh = {
  admin,
  command,
  incident,
  readiness,
  response,
  situation,
  stocktake,
}

i18n.global.mergeLocaleMessage('zh', zh)
i18n.global.mergeLocaleMessage('en', en)
