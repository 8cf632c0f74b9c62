/** What is sent, with an id: the same content tried again is the same request, so that it counts once. */
export function useOnce<Body>() {
  let last: { said: string; body: Body & { id: string } } | null = null
  return {
    /** The body of `content`, made when this content comes up and kept until it changes. */
    body(content: unknown, make: () => Body): Body & { id: string } {
      const said = JSON.stringify(content)
      if (last?.said !== said) last = { said, body: { ...make(), id: crypto.randomUUID() } }
      return last.body
    },
    /** It has arrived: the same content is a new request from now on. */
    arrived() {
      last = null
    },
  }
}
