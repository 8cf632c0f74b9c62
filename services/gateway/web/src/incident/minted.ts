/** Ids for what is written: the same content keeps its id until it is done, so that trying again is the same request. */
export function useMinted() {
  let last = ''
  let id = ''
  return {
    idOf(content: unknown): string {
      const now = JSON.stringify(content)
      if (now !== last) [last, id] = [now, crypto.randomUUID()]
      return id
    },
    done() {
      last = ''
    },
  }
}
