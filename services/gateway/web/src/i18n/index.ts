// Chinese first, English whole. Each part of the application brings its own texts; a key missing in one language is a
// type error, since English has the shape of Chinese.
import { createI18n } from 'vue-i18n'

import { en as account, zh as accountZh } from '../account/texts'
import { en as app, zh as appZh } from '../app/texts'
import { en as clerk, zh as clerkZh } from '../clerk/texts'
import { en as session, zh as sessionZh } from '../session/texts'
import { en as status, zh as statusZh } from '../status/texts'

export type Language = 'zh' | 'en'
const KEPT = 'chubei.language'

const zh = { account: accountZh, app: appZh, clerk: clerkZh, session: sessionZh, status: statusZh }
const en: typeof zh = { account, app, clerk, session, status }

function preferred(): Language {
  const kept = localStorage.getItem(KEPT)
  if (kept === 'zh' || kept === 'en') return kept
  return navigator.language.toLowerCase().startsWith('en') ? 'en' : 'zh'
}

const figures = {
  whole: { useGrouping: true },
  one: { maximumFractionDigits: 1 },
  percent: { style: 'percent', maximumFractionDigits: 1 },
  yuan: { style: 'currency', currency: 'CNY', currencyDisplay: 'narrowSymbol', maximumFractionDigits: 0 },
} as const

export const i18n = createI18n({
  legacy: false,
  locale: preferred(),
  fallbackLocale: 'zh',
  messages: { zh, en },
  datetimeFormats: {
    zh: {
      at: { dateStyle: 'medium', timeStyle: 'short', hour12: false, timeZone: 'Asia/Shanghai' },
      day: { dateStyle: 'medium', timeZone: 'UTC' },
      short: { month: 'numeric', day: 'numeric', hour: '2-digit', minute: '2-digit', hour12: false, timeZone: 'Asia/Shanghai' },
    },
    en: {
      at: { dateStyle: 'medium', timeStyle: 'short', hour12: false, timeZone: 'Asia/Shanghai' },
      day: { dateStyle: 'medium', timeZone: 'UTC' },
      short: { month: 'short', day: 'numeric', hour: '2-digit', minute: '2-digit', hour12: false, timeZone: 'Asia/Shanghai' },
    },
  },
  numberFormats: { zh: figures, en: figures },
})

export function language(): Language {
  return i18n.global.locale.value
}

export function speak(chosen: Language): void {
  i18n.global.locale.value = chosen
  localStorage.setItem(KEPT, chosen)
  document.documentElement.lang = chosen === 'zh' ? 'zh-CN' : 'en'
}

speak(language())

/** The text of a pair that the services answer, such as detail and detail_en. */
export function either(chinese: string, english: string): string {
  return language() === 'zh' ? chinese : english
}

/** A pair of the services that stands by itself: in English it begins with a capital. */
export function sentence({ zh, en }: { zh: string; en: string }): string {
  const text = either(zh, en)
  return text.charAt(0).toUpperCase() + text.slice(1)
}

/** Of a text that somebody wrote in both languages with a slash between, the one that is read here. */
export function half(text: string): string {
  const [zh, en, ...more] = text.split(' / ')
  return zh && en && !more.length ? either(zh, en) : text
}
