// What the services say of an incident, by short names.
import type { Shape } from '../api/client'
import type { components } from '../api/schema'

export type Alternatives = Shape<'AlternativesView'>
export type Amendment = Shape<'Amendment'>
export type CallOut = Shape<'CallOutView'>
export type CallRow = Shape<'CallView'>
export type Confirmation = Shape<'ConfirmationView'>
export type Confirmations = Shape<'ConfirmationList'>
export type Declaration = Shape<'IncidentDeclaration'>
export type Deviation = Shape<'DeviationView'>
export type Difference = Shape<'PlanDifference'>
export type Exercise = Shape<'ExerciseView'>
export type Incident = Shape<'IncidentView'>
export type Memo = Shape<'Memo'>
export type OralOrder = Shape<'OralOrderView'>
export type OpenExercise = components['schemas']['OpenExercise']
export type Order = Shape<'OrderView'>
export type Outlook = Shape<'Outlook'>
export type Plan = Shape<'PlanView'>
export type PlanRow = Shape<'PlanSummary'>
export type PlanRequest = Shape<'RequestView'>
export type Progress = NonNullable<PlanRequest['progress']>
export type Reasons = Shape<'Reasons'>
export type Served = Shape<'ServedView'>
export type Shelters = Shape<'HeadcountBoard'>
export type Task = Shape<'TaskView'>
export type Tasks = Shape<'IncidentTasks'>
export type Variant = Shape<'Variant'>
export type Aftermath = Shape<'Aftermath'>
export type Report = Shape<'ReportView'>
export type ReportRow = Shape<'ReportSummary'>
