/** The same, but deaf while it is at work: a button that is tapped twice with gloves on does one thing, not two. */
export function once<Args extends unknown[]>(work: (...args: Args) => Promise<void>): (...args: Args) => Promise<void> {
  let busy = false
  return async (...args) => {
    if (busy) return
    busy = true
    try {
      await work(...args)
    } finally {
      busy = false
    }
  }
}
