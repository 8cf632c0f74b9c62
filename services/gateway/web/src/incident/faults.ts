// Which field of a form a Problem is about: problem+json names it, in `errors` or at the beginning of its detail.
import type { Problem } from '../api/client'
import { spoken } from '../app/names'
import { either, half } from '../i18n'

interface Fault {
  field: string
  problem: string
  remedy: string
}

/** {field: what is wrong with it and what to do}. */
export function faults(problem: Problem | null): Map<string, string> {
  const told = new Map<string, string>()
  if (!problem) return told
  const rows = Array.isArray(problem.body.errors) ? (problem.body.errors as Fault[]) : []
  for (const row of rows) told.set(row.field.replace(/^body\./, ''), spoken(`${half(row.problem)}${either('。', '. ')}${half(row.remedy)}`))
  const named = /^([a-z_][\w.[\]]*)[::]\s*(.+)$/s.exec(problem.text)
  if (!told.size && named) told.set(named[1]!, spoken(named[2]!))
  return told
}

/** What is wrong with a field, or with a part of it such as demands[0]. */
export function faultAt(problem: Problem | null, field: string): string {
  for (const [name, text] of faults(problem)) if (name === field || name.startsWith(`${field}.`) || name.startsWith(`${field}[`)) return text
  return ''
}
