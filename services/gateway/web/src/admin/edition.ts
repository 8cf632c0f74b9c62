import { told } from '../api/client'

interface Answer<T> {
  data?: T
  error?: unknown
  response: Response
}

/** What was answered, and its edition: who changes it later names the edition that was read. Raises Problem. */
export async function withEdition<T>(asked: Promise<Answer<T>>): Promise<{ found: T; etag: string }> {
  const answer = await asked
  return { found: await told(Promise.resolve(answer)), etag: answer.response.headers.get('ETag') ?? '' }
}
