// The catalogue names units in Chinese alone: what they are called in English. A unit of one's own stays as it is written.
import { either } from '.'

const PIECE = ['piece', 'pieces'] as const
const ENGLISH: Record<string, readonly [one: string, more: string]> = {
  ...Object.fromEntries([...'床张个顶把件条支根块只台'].map((unit) => [unit, PIECE])),
  ...{ 套: ['set', 'sets'], 双: ['pair', 'pairs'], 份: ['portion', 'portions'], 卷: ['roll', 'rolls'], 捆: ['bundle', 'bundles'] },
  ...{ 箱: ['case', 'cases'], 盒: ['box', 'boxes'], 包: ['packet', 'packets'], 袋: ['bag', 'bags'] },
  ...{ 瓶: ['bottle', 'bottles'], 桶: ['can', 'cans'], 罐: ['tin', 'tins'], 辆: ['vehicle', 'vehicles'] },
  ...{ 米: ['m', 'm'], 升: ['L', 'L'], 公斤: ['kg', 'kg'], 千克: ['kg', 'kg'], 吨: ['t', 't'] },
}

/** What so many of a unit are called; more than one, unless told otherwise. */
export function unitName(zh: string, count = 2): string {
  const english = ENGLISH[zh]
  return either(zh, english ? english[count === 1 ? 0 : 1] : zh)
}
