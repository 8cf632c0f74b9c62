import { useI18n } from 'vue-i18n'

/** Where an account of a store lies: its shelf, sealed off, or in a module. */
export function useWhere(): (account: string) => string {
  const { t } = useI18n()
  return (account) => {
    const [state = '', rest = ''] = account.includes(':') ? account.split(/:(.*)/s) : ['shelf']
    if (state === 'module') return t('stocktake.where.module', { id: rest.split('@')[0] })
    return t(`stocktake.where.${state === 'sealed' ? 'sealed' : 'shelf'}`)
  }
}
